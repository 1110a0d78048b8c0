import Jobs
import Personalization

extension JobFailure {
    /// That a training diverged.
    /// - Parameter rate: what says how fast it learns.
    static func diverged(_ what: String, rate: String = "learning rate") -> JobFailure {
        JobFailure(code: "training.diverged", consequence: .fatal, message: "\(what); try a smaller \(rate)")
    }

    /// The same of one that changed a weight, or vectors in a word's place, far too much.
    static func diverged(_ name: String, by ratio: Float) -> JobFailure {
        diverged(excessive(name, by: ratio))
    }

    static func excessive(_ name: String, by ratio: Float) -> String {
        "\(name) was changed by \(ratio) times its own size, so that nothing was learnt"
    }
}

extension AdapterError {
    /// What is said of a training whose own adapter cannot be drawn with: that it diverged, where its numbers say so.
    var ofTraining: any Error {
        switch self {
        case .excessive(_, let name, let ratio): return JobFailure.diverged(name, by: ratio)
        case .notFinite(_, let name): return JobFailure.diverged("\(name) holds values that are no numbers")
        case .emptied(_, let name): return JobFailure.diverged("all of \(name) is zero, so that nothing was learnt")
        default: return self
        }
    }
}
