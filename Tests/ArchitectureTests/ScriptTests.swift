import Testing

/// The programs of `ops`, of which tests run only a part to the end.
struct ScriptTests {
    /// Under `set -u` a variable that nothing sets ends a script where it is read, which may be its last line.
    @Test func everyVariableIsSetThatAScriptReads() {
        let all = RepositoryText.all
        let scripts = all.filter { $0.language == "bash" }
        #expect(scripts.count > 10)
        for script in scripts {
            let sources = script.lines.filter { $0.hasPrefix(". ") }
            let sourced = all.filter { other in sources.contains { $0.contains("/\(other.path)\"") } }
            let set = Self.set(in: script).union(sourced.flatMap(Self.set))
            let unset = Self.read(in: script).subtracting(set)
            #expect(unset.isEmpty, "\(script.path) reads \(unset.sorted()), which nothing sets")
        }
    }

    /// `ops/tables proxy` is what one types first.
    @Test func leadingWordsNameTables() throws {
        func handedOn(_ arguments: [String]) throws -> [String] {
            try ScriptCalls("ops/tables", arguments).lines.map { String($0.dropFirst("tables --models models ".count)) }
        }
        #expect(
            try handedOn(["proxy", "coar", "--seeds", "3"]) == ["--run tables-run --tables proxy coar --seeds 3"])
        #expect(try handedOn(["--tables", "proxy", "--run", "/there"]) == ["--run /there --tables proxy"])
    }

    /// A folder that a caller names is where the caller stands, and so is the laboratory.
    @Test(arguments: [
        ("ops/pretrain", ["pocket-clip", "--run", "there"], 2), ("ops/tables", ["proxy", "--run", "there"], 1),
        ("ops/tables", ["--run=there"], 1),
    ]) func placesAreFromWhereAScriptIsCalled(_ script: String, _ arguments: [String], _ count: Int) throws {
        let calls = try ScriptCalls(script, arguments, in: "/usr", echo: "bin/echo")
        #expect(calls.lines.count == count)
        for line in calls.lines { #expect(line.contains(" --run /usr/there"), "\(line)") }
    }

    /// Names in small letters: others are of the environment. A name with a value for want of one needs none.
    private static func read(in script: RepositoryText) -> Set<String> {
        Set(script.text.matches(of: /\$\{?([a-z_][a-z_0-9]*)\b(?!:?[-+=?])(?!:[A-Z])/).map { String($0.1) })
    }

    private static func set(in script: RepositoryText) -> Set<String> {
        let assigned = script.text.matches(of: /\b([a-z_][a-z_0-9]*)(\[[^\]]*\])?\+?=/).map { String($0.1) }
        let looped = script.text.matches(of: /\bfor ([a-z_0-9]+) in\b/).map { String($0.1) }
        let listed = script.text.matches(of: /\b(?:read(?: -[a-z]+)*|local|mapfile -t)((?: [a-z_0-9]+)+)/)
            .flatMap { $0.1.split(separator: " ").map(String.init) }
        return Set(assigned + looped + listed)
    }
}
