import Jobs

/// What the adapter of a concept takes beside the model it is used on.
struct AdapterSizes {
    let numbers: Int
    /// In memory, as long as it is used.
    let residentBytes: Int

    /// - Parameters:
    ///   - adapter: a file in half precision.
    ///   - weights: the model's.
    init(_ adapter: InspectionOrder.Adapter, on weights: WeightSizes) {
        // It has no more numbers than the model, whatever is said of its file.
        numbers = min(max(0, adapter.bytes / 2), weights.numbers)
        // What ARBooth learnt takes the place of weights, which are floats then; all else stands beside them.
        let isInPlace = adapter.method == PersonalizationMethod.arbooth.rawValue
        residentBytes = (isInPlace ? weights.held.widening : 4) * numbers
    }
}
