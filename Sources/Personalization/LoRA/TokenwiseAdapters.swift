import Backbones
import Layers

/// How the low-rank changes of several concepts act together.
package enum AdapterJoining: String, Sendable {
    /// All are added to the weights, but for those that were learnt on their own concept's words.
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
        let hanging = adapters.filter { self == .byToken || $1.actsOnWords }
        for (name, adapter) in Adapter.distinct(adapters.filter { hanging[$0.key] == nil }) {
            try adapter.mergeLoRA(into: weights, share: strengths[name] ?? 1)
        }
        guard self == .byToken || !hanging.isEmpty else { return nil }
        return try TokenwiseAdapters(hanging, strengths: strengths, on: weights, where: selects)
    }
}

/// Low-rank adapters that hang on a model, each active on the words of its own concept: the name, and the class noun
/// behind it.
final class TokenwiseAdapters {
    /// A concept's name as prompts have it, and its class noun.
    private typealias Words = (placeholder: String, noun: String)

    private let subjects: [(words: [Words], activity: TokenActivity)]
    /// Of an adapter that is learning; nil of those that are learnt.
    let learning: TokenActivity?

    /// One that is learning, active on the words of all these concepts.
    init(learning concepts: [Concept]) {
        let activity = TokenActivity()
        let words = concepts.map { (placeholder: $0.placeholder, noun: $0.className) }
        subjects = [(words: words, activity: activity)]
        learning = activity
    }

    /// Those that are learnt. What hangs there already, for it is still learning, is not hung once more.
    /// - Parameter selects: which modules read texts; the changes of others have no words to act on.
    /// - Throws: `AdapterError` for an adapter that does not fit.
    init(
        _ adapters: [String: Adapter], strengths: [String: Float], on weights: Weights,
        where selects: (String) -> Bool
    ) throws(AdapterError) {
        var found: [(name: String, lora: LoRAAdapter, own: TokenActivity?)] = []
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            guard let lora = try adapter.lora() else { continue }
            try adapter.verifySound(lora, among: weights)
            found.append((name, lora, lora.activity(on: weights)))
        }
        var subjects: [(words: [Words], activity: TokenActivity)] = []
        for (name, lora, own) in found {
            let activity = own ?? TokenActivity()
            do {
                let strength = strengths[name] ?? 1
                if own == nil { try lora.hang(on: weights, strength: strength, activity: activity, where: selects) }
            } catch { throw .notAnAdapter(path: name, reason: "\(error)") }
            let noun = adapters[name]!.known(as: name).className
            subjects.append((words: [(placeholder: "<\(name)>", noun: noun)], activity: activity))
        }
        (self.subjects, learning) = (subjects, nil)
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
        begin(samples, at: starts, rows: rows, tokenizer: tokenizer)
    }

    /// The same of samples whose first rows are at `starts`.
    func begin(_ samples: [[Int32]], at starts: [Int], rows: Int, tokenizer: TextTokenizer) {
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
            let known = subject.words.compactMap { active($0.placeholder, $0.noun) }
            if !known.isEmpty { subject.activity.text = (known.flatMap { $0 }, rows) }
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

    /// What tells these very changes which words to act on, where they hang on a model: there they are learning.
    fileprivate func activity(on weights: Weights) -> TokenActivity? {
        updates.lazy.compactMap { module, update in
            weights.byName["\(module).weight"]?.updates
                .first { $0.down.value.pointer == update.down.value.pointer }?.activity
        }.first
    }
}

/// Where concepts' words stand in what backbones learn from.
extension TokenwiseAdapters {
    /// From here on pictures are learnt under prompts by an Infinity, which reads all words one after the other.
    func begin(_ prompts: [String], on model: InfinityModel, tokenizer: UnigramTokenizer) {
        let ids = model.ids(prompts, tokenizer: tokenizer)
        begin(ids, rows: ids.reduce(0) { $0 + $1.count }, tokenizer: .unigram(tokenizer))
    }

    /// From here on pictures are learnt under captions by a LlamaGen: those stand at the end of prefixes, codes but for
    /// the last behind them.
    func begin(_ captions: [String], on model: LlamaGenModel, tokenizer: UnigramTokenizer) {
        let ids = model.ids(captions, tokenizer: tokenizer)
        let c = model.configuration.transformer
        let tokens = c.captionLength + c.side * c.side - 1
        begin(
            ids, at: ids.enumerated().map { $0 * tokens + c.captionLength - $1.count }, rows: ids.count * tokens,
            tokenizer: .unigram(tokenizer))
    }

    /// From here on sequences are learnt by a Chameleon.
    /// - Parameter words: ids of what is said in each; the start mark stands before them.
    func begin(_ words: [[Int32]], in batch: ChameleonBatch, tokenizer: TextTokenizer) {
        begin(words, after: 1, stride: batch.ids.count / batch.count, rows: batch.ids.count, tokenizer: tokenizer)
    }
}
