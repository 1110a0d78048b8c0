import Testing

/// Commands of the manual that would run and do nothing.
struct DocumentTests {
    private let manual = RepositoryText.all().filter { $0.path == "README.md" || $0.path.hasPrefix("docs/") }

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
