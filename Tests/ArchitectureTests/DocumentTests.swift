import Testing

/// Documents, held against what they speak of.
struct DocumentTests {
    private let manual = RepositoryText.all().filter { $0.path == "README.md" || $0.path.hasPrefix("docs/") }

    /// What a newcomer meets in `Sources` is in the table of what is where.
    @Test func theArchitectureNamesEveryFolderOfSources() throws {
        let all = RepositoryText.all()
        let rows = try #require(all.first { $0.path == "docs/architecture.md" }).lines.filter { $0.hasPrefix("| `") }
        let sources = all.filter { $0.path.hasPrefix("Sources/") }
        let folders = Set(sources.map { $0.path.split(separator: "/")[1] })
        #expect(folders.count > 30)
        for folder in folders.sorted() {
            let isNamed = rows.contains { $0.contains("`\(folder)`") || $0.contains("`Sources/\(folder)`") }
            #expect(isNamed, "docs/architecture.md says nothing of Sources/\(folder)")
        }
    }

    /// RabbitMQ's own virtual host is `/`, where nothing of Atelier's is.
    @Test func everyCommandForAVirtualHostNamesIt() {
        let ofAHost = /rabbitmqctl (list_(queues|permissions)|(set|clear)_(topic_)?permissions|purge_queue)\b/
        let lines = manual.flatMap(\.lines).filter { $0.contains(ofAHost) }
        #expect(lines.count > 5)
        for line in lines { #expect(line.contains(" -p atelier"), "\(line)") }
    }

    /// Units in `/etc` go before those elsewhere: an upgrade into another folder would change nothing.
    @Test func unitsAreUpgradedWhereTheyWereInstalled() {
        let lines = manual.flatMap(\.lines).filter { $0.contains(/install .*systemd\/\*\./) }
        #expect(lines.count > 1)
        for line in lines { #expect(line.contains(" /etc/systemd/system/"), "\(line)") }
    }
}
