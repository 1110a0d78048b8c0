import Testing

/// The field's own words, everywhere: what stands here has gone, and what is used instead stands beside it.
struct WordTests {
    /// Old words, as a part of an identifier or a file's name (`HouseTests`, `isPromised`), and what replaced them.
    private static let retired = [
        "house": "control plane, engine, cluster", "houses": "clusters", "promise": "guarantee",
        "promises": "guarantees", "promised": "guaranteed", "lesson": "PersonalizationOutput, TrainingRun",
        "lessons": "trainings", "judge": "AttributeClassifier", "judges": "scores", "judged": "scored",
        "trials": "sweep, ablation", "examination": "checks, metrics", "leftover": "orphan", "leftovers": "orphans",
        "desk": "queue", "wake": "signal", "wakes": "signals", "obey": "apply", "obeys": "applies", "hear": "handle",
        "hears": "receives",
    ]
    /// Old names that are made of innocent words.
    private static let retiredNames = [
        "AttemptNews": "AttemptUpdates", "DaemonCondition": "ServiceHealth",
        "offPool": "runBlocking", "look": "poll, sweep, collect, browse",
    ]
    /// In sentences (comments, log lines, errors, documents) only what has no other meaning there.
    private let retiredInProse = /\b(houses?|lessons?|promises?|promised|judges?|judged)\b/
    /// What the painted world and the papers' prompts show; the shared folder's former mark, which is still read.
    private let shown = /blue house|atelier\.house|a house in|“house”|"\/?house(\.new)?"|▁house|house<\/w>/

    private let files = RepositoryText.all.filter { !$0.path.hasSuffix("WordTests.swift") }

    @Test func noFileHasAnOldName() {
        for file in files { complain(of: file.path.split(separator: "/").last.map(String.init) ?? "", at: file.path) }
    }

    @Test func noIdentifierHasAnOldName() {
        let swift = files.filter { $0.language == "swift" }
        #expect(swift.count > 300)
        for file in swift {
            for (index, line) in code(file).enumerated() {
                for word in line.split(whereSeparator: { !$0.isLetter && $0 != "_" }) {
                    complain(of: String(word), at: "\(file.path):\(index + 1)")
                }
            }
        }
    }

    @Test func noSentenceUsesAnOldWord() {
        let sentences = files.filter { ["swift", "md", "c", "h", "py", "bash", "service"].contains($0.language) }
        for file in sentences where !file.path.hasPrefix("Sources/LittleWorld/") {
            for (index, line) in file.lines.enumerated() {
                guard let found = line.firstMatch(of: retiredInProse), !line.contains(shown) else { continue }
                Issue.record("\(file.path):\(index + 1) says `\(found.0)`: \(line)")
            }
        }
    }

    private func complain(of name: String, at place: String) {
        if let instead = Self.retiredNames[name] { Issue.record("\(place): \(name) is called \(instead)") }
        for part in parts(of: name) {
            if let instead = Self.retired[part] { Issue.record("\(place): \(name) says `\(part)`, not \(instead)") }
        }
    }

    /// `everyHouseTests` is every, house, tests.
    private func parts(of name: String) -> [String] {
        name.matches(of: /[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+/).map { String($0.output).lowercased() }
    }

    /// A Swift file's lines without comments and the text of literals.
    private func code(_ file: RepositoryText) -> [String] {
        var isLiteral = false
        return file.lines.map { line -> String in
            defer { if line.matches(of: /"""/).count % 2 == 1 { isLiteral.toggle() } }
            if isLiteral { return "" }
            return String(line.replacing(/"(\\.|[^"\\])*"/, with: "").replacing(/\/\/.*/, with: ""))
        }
    }
}
