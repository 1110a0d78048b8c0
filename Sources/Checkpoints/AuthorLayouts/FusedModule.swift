/// A module of an author's code, and those of diffusers' whose rows lie one after the other in its own.
package struct FusedModule: Sendable {
    /// The author's name of the module.
    package let theirs: String
    /// diffusers' names, in the order of their rows.
    let ours: [String]
    /// Whether its two halves of rows stand the other way round in diffusers'.
    package var isSwapped = false

    init(_ theirs: String, _ ours: String...) { (self.theirs, self.ours) = (theirs, ours) }

    /// Modules of diffusers' and the rows of each in theirs, whole where it is the only one; nil where one is missing.
    /// - Parameter rows: how many a module of diffusers' has; nil where there is none.
    package func rows(_ rows: (String) -> Int?) -> [(module: String, rows: Range<Int>?)]? {
        var (found, start): ([(String, Range<Int>?)], Int) = ([], 0)
        for name in ours {
            guard let count = rows(name) else { return nil }
            found.append((name, ours.count > 1 ? start..<start + count : nil))
            start += count
        }
        return found
    }

    /// Several in one, each by itself, as OneTrainer's OMI names number them (`img_attn.qkv.0`); none of a single one.
    var parts: [FusedModule] {
        ours.count > 1 ? ours.enumerated().map { FusedModule("\(theirs).\($0)", $1) } : []
    }

    /// Their module under prefixes.
    func under(_ theirs: String, _ ours: String) -> FusedModule {
        FusedModule("\(theirs).\(self.theirs)", self.ours.map { "\(ours).\($0)" }, isSwapped)
    }

    /// The same with its halves the other way round.
    var swapped: FusedModule { FusedModule(theirs, ours, true) }

    private init(_ theirs: String, _ ours: [String], _ isSwapped: Bool) {
        (self.theirs, self.ours, self.isSwapped) = (theirs, ours, isSwapped)
    }
}

/// Tensors of a file by their modules: an author's layout brought into diffusers'.
struct ModuleRenaming {
    private let modules: [String: FusedModule]
    /// Rows of all but the last of several modules in one, where they are not of one size.
    private let width: Int?

    init(_ modules: [FusedModule], width: Int? = nil) {
        self.modules = Dictionary(modules.map { ($0.theirs, $0) }) { first, _ in first }
        self.width = width
    }

    /// A tensor of theirs under diffusers' names; none where diffusers has none of it.
    func callAsFunction(_ name: String, _ tensor: StoredTensor) throws(CheckpointError) -> [RearrangedTensor] {
        var (module, ending) = (name, "")
        for end in [".weight", ".bias", ".scale"] where name.hasSuffix(end) {
            (module, ending) = (String(name.dropLast(end.count)), end == ".scale" ? ".weight" : end)
        }
        guard let found = modules[module] else { return [] }
        if found.isSwapped {
            return [RearrangedTensor(found.ours[0] + ending, try halves(tensor).reversed())]
        }
        guard found.ours.count > 1 else { return [RearrangedTensor(found.ours[0] + ending, tensor)] }
        return zip(found.ours, try parts(tensor, found.ours.count)).map { RearrangedTensor($0 + ending, $1) }
    }

    private func halves(_ tensor: StoredTensor) throws(CheckpointError) -> [StoredTensor] {
        guard let rows = tensor.shape.first, rows % 2 == 0 else {
            throw tensor.problem("has the shape \(tensor.shape); two halves of rows are needed")
        }
        return tensor.split(into: 2)
    }

    private func parts(_ tensor: StoredTensor, _ count: Int) throws(CheckpointError) -> [StoredTensor] {
        guard let rows = tensor.shape.first else { throw tensor.problem("has no rows") }
        // Only FLUX's single blocks have a fourth part, of another size.
        if count == 3, rows % 3 == 0 { return tensor.split(into: 3) }
        guard count == 4, let width, rows > 3 * width else {
            throw tensor.problem("has \(rows) rows, which are not \(count) projections of one width")
        }
        return (0..<3).map { tensor.rows($0 * width..<($0 + 1) * width) } + [tensor.rows(3 * width..<rows)]
    }
}
