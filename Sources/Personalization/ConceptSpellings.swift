import Jobs

/// What prompts call concepts by where text encoders are several: rare words that all of them know how to spell.
package struct ConceptSpellings {
    /// By the concepts' names, with versions where prompts have them.
    let byName: [String: String]

    /// Of concepts that are learnt into one adapter, in their order.
    package init(of concepts: [String]) { byName = RareWord.spellings(of: concepts) }

    /// Of a concept that is learnt alone: the word that it has, or the one that its role is given.
    package init(of concept: Concept) {
        byName = [concept.name: concept.word ?? ConceptSpellings.word(of: concept.role)]
    }

    /// Of concepts as their adapters know them.
    /// - Throws: `AdapterError` where an adapter knows several concepts, and none of that name.
    package init(_ adapters: [String: Adapter]) throws(AdapterError) {
        var spellings: [String: String] = [:]
        for (name, adapter) in adapters { spellings[name] = try adapter.spelling(usedAs: name) }
        byName = spellings
    }

    /// What DreamBooth calls a concept by, a style another than a subject; the others are those of further subjects in
    /// one adapter.
    static func word(of role: ConceptRole) -> String {
        role == .subject ? RareWord.spellings.first! : RareWord.styleSpelling
    }

    /// Of concepts whose adapters are not at hand: each by the usual word that counts least, so that nothing is refused
    /// that can be read whole.
    package init(of concepts: [String], least count: (String) -> Int) {
        let word = (RareWord.spellings + [RareWord.styleSpelling]).min { count($0) < count($1) }!
        byName = Dictionary(uniqueKeysWithValues: concepts.map { ($0, word) })
    }

    /// A prompt as the encoders are given it.
    package func callAsFunction(_ prompt: String) -> String {
        prompt.replacing(Self.mention) { match in
            byName[String(match.output.dropFirst().dropLast())] ?? String(match.output)
        }
    }

    /// How a prompt names a concept.
    static var mention: Regex<Substring> { /<[a-z0-9_@-]+>/ }
}

extension Adapter {
    /// The rare word a concept is spelled by, when the adapter is used under `name`.
    /// - Throws: `AdapterError` where the adapter knows several concepts, and none of that name.
    fileprivate func spelling(usedAs name: String) throws(AdapterError) -> String {
        let plain = String(name.prefix { $0 != "@" })
        let words = known.filter { $0.word != nil }
        if let own = words.first(where: { $0.name == plain })?.word { return own }
        if words.count < 2 { return words.first?.word ?? RareWord.spellings[0] }
        throw .notAnAdapter(
            path: name, reason: "it knows \(known.map(\.name).joined(separator: ", ")), and no \(plain)")
    }
}
