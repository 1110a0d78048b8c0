import Jobs

/// How a method wants its concepts called in prompts: ARBooth learns "a <rex> dog", the others "<rex> dog".
struct ConceptWording {
    let method: String

    /// A suite's prompt in the method's own words.
    func asked(_ prompt: String) -> String {
        if method == PersonalizationMethod.arbooth.rawValue { return prompt }
        return prompt.hasPrefix("a <") ? String(prompt.dropFirst(2)) : prompt.replacing(" a <", with: " <")
    }
}
