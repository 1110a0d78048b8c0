import Testing

/// Documents, held against what they speak of.
struct DocumentTests {
    private let manual = RepositoryText.all.filter { $0.path == "README.md" || $0.path.hasPrefix("docs/") }

    /// What a newcomer meets in `Sources` is in the table of what is where.
    @Test func theArchitectureNamesEveryFolderOfSources() throws {
        let all = RepositoryText.all
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

    /// Outside of code a browser takes `<rex>` for a tag, and shows nothing.
    @Test func namesInBracketsStandInCode() {
        let code = /```[\s\S]*?```|`[^`]*`|\n    .*/
        for file in RepositoryText.all where file.language == "md" {
            for found in file.text.replacing(code, with: "").matches(of: /<[a-z@0-9]+>/) {
                Issue.record("\(file.path): \(found.output) stands outside of code")
            }
        }
    }

    /// A shipped model's curve ends where its training did: from nothing it is trained as long.
    @Test(arguments: [
        ("pocket-dino/dino", #"train dino --run "$run" --steps"#),
        ("pocket-clip/clip", #"train clip --run "$run" --steps"#), ("pocket-llamagen/tokenizer", "generator"),
        ("pocket-llamagen/transformer", "generator 6000"),
    ])
    func shippedModelsAreTrainedAsLongAgain(curve: String, command: String) throws {
        let all = RepositoryText.all
        let losses = try #require(all.first { $0.path == "models/\(curve).losses.csv" })
        let steps = try #require(losses.lines.last { !$0.isEmpty }?.split(separator: ",").first)
        let pretraining = try #require(all.first { $0.path == "ops/pretrain" })
        #expect(pretraining.text.contains("\(command) \(steps) "), "\(curve): \(steps) steps")
    }

    /// What the dashboard has and what is measured an operator finds in the manual.
    @Test func theManualNamesEveryViewAndMetric() throws {
        let all = RepositoryText.all
        let operations = try #require(all.first { $0.path == "docs/operations.md" }).text
        let views = all.filter { $0.path.hasPrefix("sql/views/") }.map { $0.path.dropFirst(10).dropLast(4) }
        let metrics = all.filter { $0.path.hasPrefix("Sources/Web/Metrics/") }
            .flatMap { $0.text.matches(of: /"(atelier_[a-z_]+)"/).map { $0.output.1 } }
        #expect(views.count > 20 && metrics.count > 10)
        for name in views + metrics { #expect(operations.contains("`\(name)`"), "\(name)") }
    }

    /// Units in `/etc` go before those elsewhere: an upgrade into another folder would change nothing.
    @Test func unitsAreUpgradedWhereTheyWereInstalled() {
        let lines = manual.flatMap(\.lines).filter { $0.contains(/install .*systemd\/\*\./) }
        #expect(lines.count > 1)
        for line in lines { #expect(line.contains(" /etc/systemd/system/"), "\(line)") }
    }
}
