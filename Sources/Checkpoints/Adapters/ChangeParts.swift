/// What is learned about one module while a file's names are read.
struct ChangeParts {
    /// What a tensor is of a module's change.
    enum Kind { case down, up, tableDown, tableUp, magnitude }

    private(set) var down, up, magnitude: StoredTensor?
    var alpha: Float?
    private(set) var isOfTable = false

    /// - Throws: `CheckpointError` for one that is there already, as where a file holds several adapters.
    mutating func put(_ tensor: StoredTensor, _ kind: Kind) throws(CheckpointError) {
        let old =
            switch kind {
            case .down, .tableDown: down
            case .up, .tableUp: up
            case .magnitude: magnitude
            }
        if let old { throw tensor.problem("and \(old.name) are of one module; the file must hold one adapter") }
        switch kind {
        case .down: down = tensor
        case .up: up = tensor
        case .tableDown: (down, isOfTable) = (tensor, true)
        case .tableUp: (up, isOfTable) = (tensor, true)
        case .magnitude: magnitude = tensor
        }
    }
}
