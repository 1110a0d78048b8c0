import Checkpoints
import Jobs
import Layers
import Tensors

/// What a personalization learned: the weights that changed, and what is needed to use them again anywhere.
package struct Adapter {
    /// What an adapter says about itself, kept in the file's metadata.
    package struct Description: Codable, Equatable, Sendable {
        /// What learnt it.
        package var method: PersonalizationMethod
        /// The backbone it belongs to, and a digest of that backbone's weights.
        package var model: String
        /// Of all the backbone's weights; an adapter of others is refused.
        package var modelDigest: String
        /// The concept's name, `rex` for the placeholder `<rex>`.
        package var concept: String
        /// Whether it is a subject or a style.
        package var role: ConceptRole
        /// The noun of the references; empty where a style's is not said.
        package var className: String
        /// Of the training.
        package var seed: UInt64
        /// Steps that were taken.
        package var iterations: Int
        /// The method's options as JSON.
        package var options: String
    }

    /// Name of the placeholder's learned embedding among the tensors.
    package static let placeholderName = "placeholder.embedding"

    /// As the file's metadata has it.
    package let description: Description
    /// By the backbone's own weight names; and the placeholder's embedding [1, D].
    let held: [String: HeldTensor]

    /// An adapter in memory, whose tensors are not looked through: files are, when they are read.
    package init(description: Description, tensors: [String: Tensor]) {
        self.init(description: description, held: tensors.mapValues(HeldTensor.memory))
    }

    init(description: Description, held: [String: HeldTensor]) {
        self.description = description
        self.held = held
    }

    /// All of them in memory, which for what ARBooth learnt of a large model is gigabytes.
    package var tensors: [String: Tensor] { held.mapValues(\.tensor) }

    /// ARBooth's word for the concept, [1, D]; nil of other methods.
    var placeholder: Tensor? { held[Adapter.placeholderName]?.tensor }

    /// Name of the rows that ARBooth's own code learns, [n, D]: they stand for the subject in the text encoder's
    /// output.
    static let outputRowsName = "special_token"
    /// Of an imported fine-tune of ARBooth's, [n, D]; nil of our own.
    package var outputRows: Tensor? { held[Adapter.outputRowsName]?.tensor }

    /// Whether a tensor takes the place of a weight of the backbone's.
    static func replaces(_ name: String) -> Bool { ![placeholderName, outputRowsName].contains(name) }

    /// The backbone's weights that the adapter replaces.
    var replaced: [String: HeldTensor] { isLoRA ? [:] : held.filter { Adapter.replaces($0.key) } }
}

/// How an adapter has a tensor.
enum HeldTensor {
    case memory(Tensor)
    /// In its file, where it was looked through once: it is read when it is needed, and not kept.
    case file(StoredTensor)

    var shape: [Int] {
        switch self {
        case .memory(let tensor): tensor.shape
        case .file(let stored): stored.shape
        }
    }

    /// The numbers; of a file they are read anew each time.
    var tensor: Tensor {
        switch self {
        case .memory(let tensor): return tensor
        case .file(let stored):
            defer { stored.forget() }
            do { return try stored.tensor() } catch { preconditionFailure("\(error)") }
        }
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

    /// What is wrong with which concept or file, and what to do.
    package var description: String {
        switch self {
        case .notAnAdapter(let path, let reason): "\(path) is not an Atelier adapter: \(reason)"
        case .otherModel(let concept, let wanted, let found) where wanted == found:
            "the concept \(concept) was learned on other weights of \(found) than these; learn it again"
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
