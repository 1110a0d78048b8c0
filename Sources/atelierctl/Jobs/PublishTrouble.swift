import Broker

extension PublishOutcome {
    /// Why the broker does not have a message, and what to do about it; nil where it has.
    var trouble: String? {
        if let nameRefusal { return "\(nameRefusal); ask as that user, or give this one the tag impersonator" }
        return switch self {
        case .confirmed: nil
        case .refused: "the broker refused it: its queue is full or failing; look at the broker's log"
        case .returned(_, let text): "no queue takes it (\(text)): \(Self.advice)"
        case .unknown(.closed(404, let text)): "\(text): \(Self.advice)"
        case .unknown(let error): error.description
        }
    }

    /// What to do where exchanges or queues are missing.
    static let advice =
        """
        atelierd declares exchanges and queues when it first runs; start it once, and ask atelierctl doctor what else \
        is missing
        """
}
