import Backbones
import Layers

/// How the low-rank changes of several concepts act together.
package enum AdapterJoining: String, Sendable {
    /// All are added to the weights.
    case merged
    /// Each acts on its own concept's words alone.
    case byToken = "by-token"

    /// Has low-rank adapters act on a backbone: adds them to its weights, or hangs them on it.
    /// - Parameters:
    ///   - strengths: how much of each, by name, where that is not all.
    ///   - selects: which modules read texts.
    /// - Returns: those that hang; nil where all are added.
    /// - Throws: `AdapterError` for an adapter that does not fit.
    func join(
        _ adapters: [String: Adapter], strengths: [String: Float], on weights: Weights,
        where selects: (String) -> Bool = { _ in true }
    ) throws(AdapterError) -> TokenwiseAdapters? {
        switch self {
        case .merged:
            for (name, adapter) in Adapter.distinct(adapters) {
                try adapter.mergeLoRA(into: weights, share: strengths[name] ?? 1)
            }
            return nil
        case .byToken: return try TokenwiseAdapters(adapters, strengths: strengths, on: weights, where: selects)
        }
    }
}

/// Low-rank adapters that hang on a model, each active on the words of its own concept: the name, and the class noun
/// behind it.
final class TokenwiseAdapters {
    private let subjects: [(placeholder: String, noun: String, activity: TokenActivity)]

    /// - Parameter selects: which modules read texts; the changes of others have no words to act on.
    /// - Throws: `AdapterError` for an adapter that does not fit.
    init(
        _ adapters: [String: Adapter], strengths: [String: Float], on weights: Weights,
        where selects: (String) -> Bool
    ) throws(AdapterError) {
        var subjects: [(String, String, TokenActivity)] = []
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            guard let lora = try adapter.lora() else { continue }
            try adapter.verifySound(lora, among: weights)
            let activity = TokenActivity()
            do { try lora.hang(on: weights, strength: strengths[name] ?? 1, activity: activity, where: selects) } catch
            {
                throw .notAnAdapter(path: name, reason: "\(error)")
            }
            subjects.append(("<\(name)>", adapter.known(as: name).className, activity))
        }
        self.subjects = subjects
    }

    /// From here on a text is read: ids of each of its samples, `stride` rows apart where they are filled up, the first
    /// after `first` others, in a tensor of `rows` rows, which may go on with samples that name nothing.
    func begin(_ samples: [[Int32]], after first: Int = 0, stride: Int? = nil, rows: Int, tokenizer: TextTokenizer) {
        var starts: [Int] = []
        var next = first
        for sample in samples {
            starts.append(next)
            next += stride ?? sample.count
        }
        begin(rows: rows) { placeholder, noun in
            guard let id = tokenizer.identifier(of: placeholder) else { return nil }
            let noun = tokenizer.words(amid: noun)
            return zip(samples, starts).flatMap { sample, start in
                sample.indices.filter { sample[$0] == id }.flatMap { place in
                    let behind = Array(sample[(place + 1)...].prefix(noun.count))
                    // A style's noun may not be said.
                    return [start + place] + (behind == noun ? noun.indices.map { start + place + 1 + $0 } : [])
                }
            }
        }
    }

    /// From here on a text of `rows` rows is read.
    /// - Parameter active: the rows of a concept's words, by its placeholder and class noun; nil leaves it as it is.
    func begin(rows: Int, active: (_ placeholder: String, _ noun: String) -> [Int]?) {
        for subject in subjects {
            if let active = active(subject.placeholder, subject.noun) { subject.activity.text = (active, rows) }
        }
    }

    /// The text is read.
    func end() { for subject in subjects { subject.activity.text = nil } }
}

extension LoRAAdapter {
    /// Adds the changes of some modules beside those that hang there already, to act as `activity` says.
    /// - Throws: `LoRAError.doesNotFit`.
    func hang(
        on weights: Weights, strength: Float, activity: TokenActivity, where selects: (String) -> Bool
    ) throws(LoRAError) {
        for (parameter, update) in try targets(in: weights)
        where selects(String(parameter.name.dropLast(".weight".count))) {
            parameter.updates.append(
                LowRankUpdate(down: update.down, up: update.up, scale: strength * update.scale, activity: activity))
        }
    }
}
