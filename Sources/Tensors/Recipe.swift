/// How a tensor's elements are computed once more, for those who want them again after its memory was given back.
///
/// Belongs to one task, as the recorded computation does that it comes from.
package final class Recipe {
    private let compute: () -> Tensor
    private weak var original: Storage?
    private var again: Storage?

    /// - Parameters:
    ///   - original: the memory that has the elements now.
    ///   - compute: gives the same elements each time.
    fileprivate init(of original: Storage, _ compute: @escaping () -> Tensor) {
        (self.original, self.compute) = (original, compute)
    }

    /// The memory that has the elements: the one that always had as long as somebody holds it; else another, computed
    /// once and held as long as the recipe is.
    package var storage: Storage {
        if let storage = original ?? again { return storage }
        let storage = compute().storage
        again = storage
        return storage
    }
}

extension Tensor {
    /// Tells those who keep this tensor, which fills its memory, how to compute it once more instead.
    package func canBeComputed(by compute: @escaping () -> Tensor) {
        precondition(count == storage.count, "a recipe is for all of a storage")
        storage.recipe = Recipe(of: storage, compute)
    }
}

/// A tensor as operations keep it for the way back: by its memory, or by the recipe alone where it has one.
package struct KeptTensor {
    private enum Elements {
        case memory(Storage)
        case recipe(Recipe)
    }

    /// As the tensor's.
    package let shape: [Int]
    private let offset: Int
    private let elements: Elements

    /// Holds no more of `tensor` than its recipe needs.
    package init(_ tensor: Tensor) {
        (shape, offset) = (tensor.shape, tensor.offset)
        elements = tensor.storage.recipe.map { .recipe($0) } ?? .memory(tensor.storage)
    }

    /// The same elements; computed once more where there was but a recipe.
    package var tensor: Tensor {
        switch elements {
        case .memory(let storage): Tensor(shape: shape, storage: storage, offset: offset)
        case .recipe(let recipe): Tensor(shape: shape, storage: recipe.storage, offset: offset)
        }
    }
}
