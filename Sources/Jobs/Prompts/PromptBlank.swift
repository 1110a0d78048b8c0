/// A blank in a prompt that stands for any concept: `{concept}` is its place, `{class}` its class noun. Evaluations and
/// CoAR's option `prompt` fill them; any other prompt is drawn with what stands in it.
enum PromptBlank: String {
    case concept = "{concept}"
    case noun = "{class}"

    /// What in braces would be left as it stands, each once: in a template every word but the two; elsewhere the two,
    /// however they are written.
    static func unfilled(in text: String, isTemplate: Bool) -> [String] {
        text.matches(of: /\{{1,3}\s{0,8}([^\s{}]{1,40})\s{0,8}\}{1,3}/).reduce(into: []) { found, match in
            let (whole, blank) = (String(match.0), "{\(match.1.lowercased())}")
            let isLeft = isTemplate ? Self(rawValue: whole) == nil : Self(rawValue: blank) != nil
            if isLeft, !found.contains(whole) { found.append(whole) }
        }
    }

    /// The rule, for whoever wrote another.
    static func rule(isTemplate: Bool) -> String { isTemplate ? ruleOfTemplates : ruleOfOthers }

    private static let ruleOfTemplates = "{concept} and {class}, so written, and nothing else in braces"
    private static let ruleOfOthers = """
        a concept as <name>, and its class noun in words: {concept} and {class} are filled in the prompts of \
        evaluations and in CoAR's option prompt alone
        """
}
