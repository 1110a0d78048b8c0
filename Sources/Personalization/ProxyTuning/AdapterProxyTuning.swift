import Foundation
import Layers
import Tensors

/// What a student learnt from proxies: low-rank changes, and a word for each of the concepts they are of.
extension Adapter {
    /// The method's options as the file keeps them: LoRA's, and what is known.
    private struct KnowingOptions: Codable {
        var rank: Int
        var alpha: Float
        var targets: [String]
        var isRankStabilized = false
        var actsOn: ActingTokens?
        var concepts: [KnownConcept]
    }

    /// A method's options as a file keeps them.
    static func options(_ lora: LoRAAdapter.Options, knowing concepts: [KnownConcept]) throws -> String {
        try Description.text(
            of: KnowingOptions(
                rank: lora.rank, alpha: lora.alpha, targets: lora.targets, isRankStabilized: lora.isRankStabilized,
                actsOn: lora.actsOn, concepts: concepts))
    }

    /// A concept an adapter knows.
    package struct KnownConcept: Codable, Equatable, Sendable {
        /// As it was learnt by; an adapter may be used under another.
        package let name: String
        /// Its class noun.
        package let className: String
        /// The model's own word that it goes by, or is spelled by where text encoders are several; nil where it has an
        /// embedding, and of LoRAs of former versions.
        package var word: String?
    }

    /// The model's own word that a concept goes by, when a LoRA adapter is used under `name`.
    func identifier(usedAs name: String) -> String { known(as: name).word ?? DreamBooth.identifier }

    /// What a student learnt of concepts; the description is of the first of them.
    /// - Parameter modelDigest: of the student's weights.
    package init(_ training: PairTraining, of concepts: [Concept], modelDigest: String, seed: UInt64) throws {
        let options = try Adapter.options(
            training.lora.options,
            knowing: concepts.map {
                KnownConcept(name: $0.name, className: $0.className, word: training.learner.spellings[$0.name])
            })
        let description = Description(
            method: .proxyTuning, model: training.learner.model.name, modelDigest: modelDigest,
            concept: concepts[0].name, role: .subject, className: concepts[0].className, seed: seed,
            iterations: training.step, options: options)
        var tensors = Dictionary(
            uniqueKeysWithValues: training.lora.parameters.map { (LoRAAdapter.prefix + $0.name, $0.value) })
        for word in training.learner.words.values { tensors[word.name] = word.value }
        self.init(description: description, tensors: tensors)
    }

    /// All concepts the adapter knows; the description's where it knows one.
    package var known: [KnownConcept] {
        let options = try? JSONDecoder().decode(KnowingOptions.self, from: Data(description.options.utf8))
        if description.method == .proxyTuning, let options { return options.concepts }
        // The description says whose it is, which may have another name by now than when it was learnt.
        let word = options?.concepts.first?.word
        return [KnownConcept(name: description.concept, className: description.className, word: word)]
    }

    /// What is known by a name, with or without a version; of a name it does not know the first.
    package func known(as name: String) -> KnownConcept {
        let plain = String(name.prefix { $0 != "@" })
        return known.first { $0.name == plain } ?? known[0]
    }

    /// The description as that of the concept which the adapter is used for, where it knows several.
    package func description(usedAs name: String) -> Description {
        var own = description
        (own.concept, own.className) = (known(as: name).name, known(as: name).className)
        return own
    }

    /// Names of the learnt words' embeddings among the tensors; none of other methods.
    package var embeddings: [String] { held.keys.filter { $0.hasPrefix("word.") }.sorted() }

    /// The word a concept goes by, [1, C], when the adapter is used under `name`: the one of that name, or the only one
    /// there is. Nil of other methods.
    /// - Throws: `AdapterError` where the adapter knows several concepts, and none of that name.
    func word(usedAs name: String) throws(AdapterError) -> Tensor? {
        let words = held.filter { $0.key.hasPrefix("word.") }.mapValues(\.tensor)
        guard !words.isEmpty else { return nil }
        let plain = String(name.prefix { $0 != "@" })
        if let own = words[RareWord.name(of: plain)] { return own }
        if words.count == 1 { return words.first!.value }
        throw .notAnAdapter(
            path: name, reason: "it knows \(known.map(\.name).joined(separator: ", ")), and no \(plain)")
    }

    /// Whether a prompt has one word for two concepts of low-rank adapters that are used under these names: a word of
    /// the model's, or two that were drawn from one seed.
    /// - Throws: `AdapterError` where an adapter knows several concepts, and none of that name.
    package func sharesWord(_ name: String, with other: Adapter, _ otherName: String) throws(AdapterError) -> Bool {
        let (own, others) = (try word(usedAs: name), try other.word(usedAs: otherName))
        guard own == nil, others == nil else { return own?.values == others?.values }
        guard isLoRA, other.isLoRA else { return false }
        return saidWord(usedAs: name) == other.saidWord(usedAs: otherName)
    }

    /// The model's own word that a concept goes by; nil of the usual one of subjects, which adapters of former
    /// versions, and imported ones without a trigger, do not say.
    private func saidWord(usedAs name: String) -> String? {
        let usual = [DreamBooth.identifier, RareWord.spellings[0]]
        return known(as: name).word.flatMap { usual.contains($0) ? nil : $0 }
    }

    /// The adapters among several names, each once, under the first of its names: several concepts may be known by one,
    /// and `rex` and `rex@2` may be the same.
    static func distinct(_ adapters: [String: Adapter]) -> [(name: String, adapter: Adapter)] {
        var found: [(name: String, adapter: Adapter)] = []
        for (name, adapter) in adapters.sorted(by: { $0.key < $1.key }) {
            if !found.contains(where: { $0.adapter.isSame(as: adapter) }) { found.append((name, adapter)) }
        }
        return found
    }

    /// Whether it is made of the same numbers.
    package func isSame(as other: Adapter) -> Bool {
        description == other.description
            && held.mapValues(\.tensor.sumOfSquares) == other.held.mapValues(\.tensor.sumOfSquares)
    }
}
