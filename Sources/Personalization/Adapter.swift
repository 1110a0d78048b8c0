import Jobs
import Layers
import Tensors

/// What a personalization learned: the weights that changed, and what is needed to use them again anywhere.
package struct Adapter {
    /// What an adapter says about itself, kept in the file's metadata.
    package struct Description: Codable, Equatable, Sendable {
        package var method: String
        /// The backbone it belongs to, and a digest of that backbone's weights.
        package var model: String
        package var modelDigest: String
        /// The concept's name, `rex` for the placeholder `<rex>`.
        package var concept: String
        package var role: ConceptRole
        package var className: String
        package var seed: UInt64
        package var iterations: Int
        /// The method's options as JSON.
        package var options: String
    }

    /// Name of the placeholder's learned embedding among the tensors.
    package static let placeholderName = "placeholder.embedding"

    package let description: Description
    /// Tensors by the backbone's own weight names; and the placeholder's embedding [1, D].
    package let tensors: [String: Tensor]

    package init(description: Description, tensors: [String: Tensor]) {
        self.description = description
        self.tensors = tensors
    }

    package var placeholder: Tensor? { tensors[Adapter.placeholderName] }

    /// Name of the rows that ARBooth's own code learns, [n, D]: they stand for the subject in the text encoder's
    /// output.
    package static let outputRowsName = "special_token"
    package var outputRows: Tensor? { tensors[Adapter.outputRowsName] }

    /// The backbone's weights that the adapter replaces.
    var replaced: [String: Tensor] {
        let others = [Adapter.placeholderName, Adapter.outputRowsName]
        return isLoRA ? [:] : tensors.filter { !others.contains($0.key) }
    }
}

/// An adapter that cannot be used as asked.
package enum AdapterError: Error, CustomStringConvertible, Equatable {
    case notAnAdapter(path: String, reason: String)
    case otherModel(concept: String, wanted: String, found: String)
    case unknownWeight(concept: String, name: String)
    case conflicting([String])
    /// Text encoders or kernels change, which no single word's tokens go through.
    case notByToken(concept: String)
    /// Tensors hold values that are no numbers.
    case notFinite(concept: String, name: String)
    /// Only some of what the method changes is there.
    case incomplete(concept: String, found: Int, wanted: Int)
    /// All numbers of a tensor are zero.
    case emptied(concept: String, name: String)
    /// A change that is far larger than the weight it changes.
    case excessive(concept: String, name: String, ratio: Float)

    package var description: String {
        switch self {
        case .notAnAdapter(let path, let reason): "\(path) is not an Atelier adapter: \(reason)"
        case .otherModel(let concept, let wanted, let found):
            "the concept \(concept) was learned on the model \(found) and cannot be used with \(wanted)"
        case .unknownWeight(let concept, let name):
            "the concept \(concept) changes \(name), a weight this model does not have, or not in that shape"
        case .conflicting(let concepts):
            """
            the concepts \(concepts.joined(separator: " and ")) were both learned by changing the same weights; use \
            one of them at a time
            """
        case .notByToken(let concept):
            """
            the concept \(concept) also changes text encoders or kernels, which act on every word: it cannot be kept \
            to its own words; use "adapters": "merged"
            """
        case .notFinite(let concept, let name):
            "the concept \(concept) is damaged: \(name) holds values that are no numbers; learn it again"
        case .incomplete(let concept, let found, let wanted):
            """
            the concept \(concept) is damaged: \(found) of the \(wanted) weights its method changes are there; learn \
            it again
            """
        case .emptied(let concept, let name):
            "the concept \(concept) is damaged: all of \(name) is zero; learn it again"
        case .excessive(let concept, let name, let ratio):
            """
            the concept \(concept) would change \(name) by \(ratio) times its own size; was it learnt at too large a \
            learning rate, or is its alpha wrong?
            """
        }
    }
}
