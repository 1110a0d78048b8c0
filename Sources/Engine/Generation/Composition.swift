import Jobs
import Personalization

/// A subject and a style that were learned apart, in one prompt, worded as the model's captions are.
struct Composition {
    private let subject: Concept
    private let style: Concept

    /// - Throws: `JobFailure` naming what has no adapter or one of the other role.
    init(_ spec: ComposeSpec, adapters: [String: Adapter], wording: StyleWording) throws {
        var problems: [Problem] = []
        func concept(_ role: ConceptRole) -> Concept {
            let name = spec.name(of: role)
            let adapter = adapters[name]?.description(usedAs: name)
            if adapter?.role != role {
                let usable = adapters.filter { $0.value.description.role == role }.keys.sorted()
                problems.append(
                    Problem(
                        "/\(role.rawValue)",
                        found: adapter.map { "\(name), a \($0.role.rawValue)" } ?? "\(name), which has no adapter",
                        allowed: usable.isEmpty
                            ? "a \(role.rawValue) with an adapter; none is given" : usable.joined(separator: ", ")))
            }
            return Concept(
                name: name, role: role, className: adapter?.className ?? "", references: [], wording: wording)
        }
        (subject, style) = (concept(.subject), concept(.style))
        guard problems.isEmpty else {
            throw JobFailure(
                code: "concept.unknown", consequence: .rejected,
                message: "\(problems.count) of 2 concepts cannot be used", problems: problems)
        }
    }

    /// The prompt with whatever it leaves unsaid: who is shown, and in which style.
    func prompt(_ text: String) -> String {
        let named = [subject.placeholder, subject.className, text].filter { !$0.isEmpty }.joined(separator: " ")
        let shown = text.contains(subject.placeholder) ? text : named
        if shown.contains(style.placeholder) { return shown }
        return style.wording(subject: Self.scene(shown), style: style.placeholder)
    }

    /// What a prompt shows: without "a photo of", which would say of which style it is, twice, and without its end,
    /// behind which words for the style may come.
    private static func scene(_ prompt: String) -> String {
        var scene = prompt.trimmingPrefix(/\s*a photo(?:graph)? of\s+/.ignoresCase())
        while let last = scene.last, last == "." || last.isWhitespace { scene.removeLast() }
        return String(scene)
    }
}
