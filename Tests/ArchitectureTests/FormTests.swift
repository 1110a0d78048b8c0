import Testing

/// How everything is written that `swift format` does not hold.
struct FormTests {
    private static let languages: Set = [
        "bash", "c", "conf", "css", "h", "js", "md", "modulemap", "mustache", "py", "python3", "service", "sh", "sql",
        "swift", "timer",
    ]

    @Test func noLineIsLongerThan120Characters() {
        let files = RepositoryText.all.filter { Self.languages.contains($0.language) }
        #expect(files.count > 400, "only \(files.count) files were found")
        for file in files {
            for (index, line) in file.lines.enumerated() where line.count > 120 {
                Issue.record("\(file.path):\(index + 1) has \(line.count) characters; 120 are allowed")
            }
        }
    }

    @Test func theReadmeIsShort() throws {
        let readme = try #require(RepositoryText.all.first { $0.path == "README.md" })
        #expect(readme.lines.count <= 100)
    }

    /// Operations inherit what the protocol says of `name`, `examples` and `isCheap`; an initializer without arguments
    /// has nothing to say.
    @Test func everyPackageDeclarationIsDocumented() {
        let files = RepositoryText.all.filter { $0.path.hasPrefix("Sources/") && $0.language == "swift" }
        #expect(files.count > 500, "only \(files.count) files were found")
        for file in files {
            let lines = file.lines.map { $0.drop(while: { $0 == " " }) }
            for (index, line) in lines.enumerated() where isDeclaration(line) {
                let above = lines[..<index].last { !isAttribute($0) } ?? ""
                #expect(above.hasPrefix("///"), "\(file.path):\(index + 1) says nothing of itself: \(line)")
            }
        }
    }

    /// What may stand between a declaration and its documentation: attributes, and exceptions of `swift format`.
    private func isAttribute(_ line: Substring) -> Bool {
        line.hasPrefix("@") || line.hasPrefix("// swift-format-ignore")
    }

    private func isDeclaration(_ line: Substring) -> Bool {
        let inherited = [
            "package static let name =", "package static var examples:", "package static let isCheap = true",
            "package init() {}",
        ]
        return line.prefixMatch(of: #/(@\w+ )*package /#) != nil && !inherited.contains { line.hasPrefix($0) }
    }
}
