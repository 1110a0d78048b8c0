import Testing

/// Whoever meets a code finds it in the runbook (docs/operations.md).
struct FailureCodeTests {
    private let files = RepositoryText.all
    /// A code's first word. Whatever is given as a `code:` is one besides.
    private static let families = "concept|daemon|encoder|engine|host|input|job|model|result|training"

    /// Codes that attempts end with, in what runs them and in what the tables do by themselves. Keys of log lines and
    /// of metadata look the same; `:` or `]` follows those.
    private func emitted() throws -> Set<String> {
        let inSwift = try Regex<(Substring, Substring)>("\"((?:\(Self.families))\\.[a-z_]+)\"(?![:\\]])")
        let inSQL = try Regex<(Substring, Substring)>("'((?:\(Self.families))\\.[a-z_]+)'")
        let given = /code: "([a-z]+\.[a-z_]+)"/
        var codes: Set<String> = []
        for file in files {
            if ["Sources/Daemon/", "Sources/Engine/"].contains(where: { file.path.hasPrefix($0) }) {
                codes.formUnion(file.text.matches(of: inSwift).map { String($0.output.1) })
                codes.formUnion(file.text.matches(of: given).map { String($0.output.1) })
            } else if file.path.hasPrefix("sql/functions/") {
                codes.formUnion(file.text.matches(of: inSQL).map { String($0.output.1) })
            }
        }
        return codes
    }

    @Test func everyCodeIsInTheRunbook() throws {
        let runbook = try #require(files.first { $0.path == "docs/operations.md" }).text
        let codes = try emitted()
        #expect(codes.isSuperset(of: ["host.fault", "daemon.interrupted", "job.cancelled", "job.deadline"]))
        for code in codes.sorted() where !code.hasPrefix("input.") {
            #expect(runbook.contains("`\(code)`"), "\(code)")
        }
        // And what it lists there is.
        let listed = runbook.split(separator: "\n").filter { $0.hasPrefix("| `") }.flatMap { row in
            row.dropFirst(2).prefix { $0 != "|" }.matches(of: /`([a-z]+\.[a-z_]+)`/).map { String($0.output.1) }
        }
        #expect(listed.count > 15 && codes.isSuperset(of: listed), "\(Set(listed).subtracting(codes))")
    }

    /// What is no failure is not on the page of failures; of what an engine says of its host the daemon makes one code.
    @Test func everyFailureHasAdviceOnItsPage() throws {
        let page = try #require(files.first { $0.path == "Sources/Web/Pages/TroublePages.swift" }).text
        let others = /input\..*|model\..*|encoder\..*|host\.disk|daemon\.interrupted|job\.cancelled/
        for code in try emitted().sorted() where code.wholeMatch(of: others) == nil {
            #expect(page.contains("\"\(code)\": \""), "\(code)")
        }
    }
}
