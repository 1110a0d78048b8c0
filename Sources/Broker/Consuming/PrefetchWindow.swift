/// How many deliveries a consumer asks for ahead, so that what it holds stays within a number of bytes.
///
/// It begins with as many as fit if each is as large as a message may be, and asks for all it may once as many small
/// ones came in a row. The one message that does not fit then is put off: the broker keeps it, and has to deliver it
/// once more.
struct PrefetchWindow {
    /// How many to ask for where all are small.
    let most: UInt16
    /// How many to ask for where each may be as large as allowed.
    let fewest: UInt16
    /// How many bytes may be held; a single message may be larger.
    let budget: Int
    /// How many to ask for now.
    private(set) var current: UInt16
    /// The bytes of the deliveries that are not answered yet.
    private(set) var held = 0
    private var smallInARow = 0

    init(most: UInt16, largestBody: Int, budget: Int) {
        self.most = most
        self.budget = budget
        fewest = UInt16(clamping: min(max(1, budget / max(1, largestBody)), Int(most)))
        current = fewest
    }

    /// Whether as many are asked for as ever.
    var isOpen: Bool { current == most }

    /// The largest body that may be taken now.
    var allowance: Int { held == 0 ? .max : max(0, budget - held) }

    /// A delivery of so many bytes is held.
    mutating func take(_ bytes: Int) {
        held += bytes
        guard bytes <= budget / Int(most) else { return shrink() }
        smallInARow += 1
        if smallInARow >= Int(most) { current = most }
    }

    /// A delivery was too much.
    mutating func shrink() { (current, smallInARow) = (fewest, 0) }

    /// A delivery of so many bytes is answered.
    mutating func release(_ bytes: Int) { held -= bytes }
}
