extension JobRequest {
    /// The suites of prompts that come with Atelier.
    package static let suites = ["dreambench-object", "dreambench-living", "little-world"]
}

/// What an `evaluate` job says beside what every job says.
extension RequestReader {
    /// The concepts to be measured, each once.
    mutating func conceptNames() -> [ConceptMention] {
        guard let elements = body["concepts"]?.array, (1...16).contains(elements.count) else {
            note("/concepts", body["concepts"], "a list of 1 to 16 names of concepts")
            return []
        }
        var mentions: [ConceptMention] = []
        for (index, element) in elements.enumerated() {
            guard let name = element.string, ConceptMention.isName(name), !mentions.contains(where: { $0.name == name })
            else {
                note("/concepts/\(index)", element, "the name of a concept, each once")
                continue
            }
            mentions.append(ConceptMention(pointer: "/concepts/\(index)", name: name))
        }
        return mentions
    }

    /// Reference pictures in the message, where the ones the concept was learnt from are not meant.
    mutating func referencesInstead(of concepts: [ConceptMention]) -> [ImageSource] {
        guard body["images"] != nil else { return [] }
        if concepts.count > 1 {
            note(
                "/images", .string("pictures for \(concepts.count) concepts"),
                "pictures where concepts names a single one")
        }
        return images()
    }

    /// The prompts the job brings itself; none where it names a suite.
    mutating func suitePrompts(_ concepts: [String]) -> [String] {
        if body["suite"] != nil {
            let suite = body["suite"]?.string
            if !JobRequest.suites.contains(suite ?? "") {
                note("/suite", body["suite"], JobRequest.suites.joined(separator: ", "))
            }
            if body["prompts"] != nil { note("/prompts", body["prompts"], "nothing beside a suite") }
            return []
        }
        guard body["prompts"] != nil else {
            note("/suite", nil, JobRequest.suites.joined(separator: ", ") + "; or prompts of your own in /prompts")
            return []
        }
        let prompts = prompts(1...64)
        if concepts.isEmpty { return prompts }  // a problem of its own
        for (index, prompt) in prompts.enumerated() { checkMention(of: concepts, in: prompt, at: "/prompts/\(index)") }
        return prompts
    }

    /// One prompt serves every concept, so it calls each `{concept}`; a single concept may be called by its name.
    private mutating func checkMention(of concepts: [String], in prompt: String, at pointer: String) {
        let own = concepts.count == 1 ? concepts : []
        let allowed = ["{concept}"] + own.map { "<\($0)>" }
        let isMentioned = allowed.contains { prompt.contains($0) }
        let others = ConceptMention.names(in: prompt).filter { !own.contains($0) }
        if !isMentioned || !others.isEmpty {
            note(
                pointer, .string(prompt),
                """
                a prompt that mentions \(allowed.joined(separator: " or ")) and no other concept; {class} is its \
                class noun
                """
            )
        }
    }

    /// Whole rounds of pictures, one a seed.
    mutating func seeds() {
        guard let value = body["seeds"] else { return }
        if body["seed"] != nil { note("/seed", body["seed"], "nothing beside seeds") }
        guard let elements = value.array, (1...16).contains(elements.count),
            elements.allSatisfy({ ($0.integer ?? -1) >= 0 }),
            Set(elements.compactMap(\.integer)).count == elements.count
        else { return note("/seeds", value, "a list of 1 to 16 different whole numbers from 0 to 9223372036854775807") }
    }
}
