/// The tags of deliveries that were not answered yet, in their order: many that are acknowledged together are one word
/// to the broker.
struct UnansweredTags {
    private var tags: ArraySlice<UInt64> = []

    /// A delivery came; tags grow.
    mutating func add(_ tag: UInt64) { tags.append(tag) }

    /// Takes out the first ones, as long as `isAnswered`. Gives the last of them: it and everything before it is
    /// answered.
    mutating func removeFirst(while isAnswered: (UInt64) -> Bool) -> UInt64? {
        var last: UInt64?
        while let tag = tags.first, isAnswered(tag) {
            last = tag
            tags.removeFirst()
        }
        return last
    }

    /// Takes one out, wherever it is; gives whether it was there.
    @discardableResult
    mutating func remove(_ tag: UInt64) -> Bool {
        guard let index = tags.firstIndex(of: tag) else { return false }
        tags.remove(at: index)
        return true
    }
}
