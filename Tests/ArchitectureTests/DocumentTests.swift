import LittleWorld
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

    /// What the manual says that can be asked of the shipped models, as one line.
    private func whatTheyKnow() throws -> String {
        let text = try #require(manual.first { $0.path == "docs/models.md" }).text
        let section = try #require(text.firstMatch(of: /\n### What they know\n([\s\S]*?)\n#/)).1
        return section.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test func whatShippedModelsKnowIsWhatTheirWorldShows() throws {
        let styles = Style.allCases.filter { !$0.isHeldOut }
        let lists: [(count: Int, what: String, names: [String])] = [
            (SubjectClass.allCases.count, "classes", SubjectClass.allCases.map(\.name)),
            (SubjectColour.allCases.count, "colours", SubjectColour.allCases.map(\.name)),
            (Pattern.allCases.count - 1, "patterns, or none", Pattern.allCases.filter { $0 != .plain }.map(\.name)),
            (Finish.allCases.count - 1, "finishes, or none", Finish.allCases.filter { $0 != .plain }.map(\.name)),
            (
                Accessory.allCases.count - 1, "things worn, or none",
                Accessory.allCases.filter { $0 != .none }.map(\.name)
            ),
            (
                Context.allCases.count, "places, a plain one where none is said",
                Context.allCases.filter { $0 != .plain }.map(\.name)
            ),
            (styles.count, "styles, a photo where none is said", styles.map(\.name)),
        ]
        let told = try whatTheyKnow()
        for list in lists {
            let item = "- \(list.count) \(list.what): \(list.names.joined(separator: ", "))."
            #expect(told.contains(item), "\(item)")
        }
    }

    /// With a scene's words in their places the manual's wording is the scene's caption.
    @Test func theWordingThatIsToldIsThatOfCaptions() throws {
        let wordings = try whatTheyKnow().matches(of: /`(a STYLE of [^`]+)`/).map { String($0.1) }
        let scenes = (0..<4000).map { LittleWorld.scene(index: UInt64($0), seed: 1, split: .training) }
        #expect(wordings.count == 2)
        for wording in wordings {
            #expect(scenes.contains { $0.caption == self.wording(wording, of: $0) }, "\(wording)")
        }
    }

    private func wording(_ wording: String, of scene: Scene) -> String {
        var words = [("STYLE", scene.style.name), ("FINISH", scene.finish.name), ("WORN", scene.accessory.name)]
        words += [("PATTERN", scene.subject.pattern.name), ("PLACE", scene.context.name)]
        words += scene.subjects.flatMap { [("COLOUR", $0.colour.name), ("CLASS", $0.kind.name)] }
        return words.reduce(wording) { text, word in text.replacing(word.0, with: word.1, maxReplacements: 1) }
    }

    @Test(arguments: ["pocket-chameleon", "pocket-infinity"])
    func howOftenTwoSubjectsAreRightIsTheCardsFigure(model: String) throws {
        let card = try #require(RepositoryText.all.first { $0.path == "models/\(model)/README.md" }).text
        let share = try #require(card.firstMatch(of: /both\s+are\s+right\s+in\s+(\d+)\s%/)).1
        #expect(try whatTheyKnow().contains("in \(share) % of the pictures of `\(model)`"))
    }

    /// RabbitMQ's own virtual host is `/`, where nothing of Atelier's is.
    @Test func everyCommandForAVirtualHostNamesIt() {
        let ofAHost = /rabbitmqctl (list_(queues|permissions)|(set|clear)_(topic_)?permissions|purge_queue)\b/
        let lines = manual.flatMap(\.lines).filter { $0.contains(ofAHost) }
        #expect(lines.count > 5)
        for line in lines { #expect(line.contains(" -p atelier"), "\(line)") }
    }

    /// How long a subject takes to learn is told twice.
    @Test func theReadmesSecondsAreTheDemosOfTheResults() throws {
        let all = RepositoryText.all
        let row = try #require(
            all.first { $0.path == "README.md" }?.lines.first { $0.hasPrefix("| learning a subject ") })
        let results = try #require(all.first { $0.path == "docs/results.md" }).text
        let demo = try #require(results.firstMatch(of: /\n`ops\/demo`, (?:.+\n)+/)).0
        let told = row.matches(of: /(\S+) (\d+) s\b/)
        #expect(told.count == 3)
        for (_, method, seconds) in told.map(\.output) {
            let named = try #require(demo.firstRange(of: method), "\(method)")
            #expect(demo[named.upperBound...].firstMatch(of: /(\d+)\s+s\b/)?.1 == seconds, "\(method)")
        }
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

    /// A shipped model's curves end where its training did: from nothing it is trained as long, all parts together.
    @Test(arguments: [
        "pocket-dino", "pocket-clip", "pocket-infinity", "pocket-chameleon", "pocket-diffusion", "pocket-llamagen",
    ])
    func shippedModelsAreTrainedAsLongAgain(model: String) throws {
        let trainings = try ScriptCalls("ops/pretrain", [model]).lines.filter { $0.contains("--steps") }
        let losses = try #require(RepositoryText.all.first { $0.path == "models/\(model)/losses.csv" })
        let rows = losses.lines.dropFirst().filter { !$0.isEmpty }.map { $0.split(separator: ",") }
        #expect(!rows.isEmpty)
        for (stage, rows) in Dictionary(grouping: rows, by: \.[0]) {
            let steps = trainings.filter { $0.contains(" \(stage) ") }
                .compactMap { $0.firstMatch(of: /steps (\d+)/).flatMap { Int($0.1) } }
            #expect(Int(rows.last![1]) == steps.reduce(0, +), "\(losses.path): \(stage): \(steps) steps")
        }
    }

    /// What a card says that the model was trained and written by, the script runs.
    @Test(arguments: ["pocket-infinity", "pocket-chameleon", "pocket-diffusion", "pocket-llamagen"])
    func cardsTellTheCommandsOfTheirTraining(model: String) throws {
        let card = try #require(RepositoryText.all.first { $0.path == "models/\(model)/README.md" })
        let told = card.text.matches(of: /`atelier-lab ((?:pretrain|export) [^`]+)`/).map { String($0.1) }
        let run = try Set(ScriptCalls("ops/pretrain", [model]).lines.map(optionsApartFromFolders))
        #expect(told.count > 2)
        for command in told { #expect(run.contains(optionsApartFromFolders(command)), "\(command)") }
    }

    /// A command's words, in whatever order, without the names of run folders and of the models they begin with.
    private func optionsApartFromFolders(_ command: String) -> Set<Substring> {
        let words = command.split(whereSeparator: \.isWhitespace)
        let isFolder = [false] + words.dropLast().map { ["--folder", "--start"].contains($0) }
        return Set(zip(words, isFolder).filter { !$0.1 }.map(\.0))
    }

    /// What the engine calls its stages and its artifacts a subscriber finds in the schema, stages in the manual too,
    /// and who writes another engine the artifacts.
    @Test func everyStageAndRoleIsExplained() throws {
        let all = RepositoryText.all
        let schema = try #require(all.first { $0.path == "ops/schemas/event.json" }).text
        let jobs = try #require(all.first { $0.path == "docs/jobs.md" }).text
        let contract = try #require(all.first { $0.path == "docs/engine.md" }).text
        let engine = all.filter { $0.path.hasPrefix("Sources/Engine/") }.map(\.text).joined()
        let stages = Set(engine.matches(of: /(?:stage: |title: |title\(|learner \?\? )"([a-z]+)"/).map { String($0.1) })
        let named = try #require(all.first { $0.path == "Sources/Jobs/ArtifactRole.swift" }).text
        let roles = Set(named.matches(of: /ArtifactRole\(rawValue: "([a-z]+)"\)/).map { String($0.1) })
        #expect(stages.isSuperset(of: ["draw", "student", "supervisor", "train"]))
        #expect(roles.isSuperset(of: ["adapter", "curve", "proxies", "proxy"]))
        for name in stages.union(roles) { #expect(schema.contains("`\(name)`"), "\(name)") }
        for stage in stages { #expect(jobs.contains("`\(stage)`"), "\(stage)") }
        for role in roles { #expect(contract.contains("| `\(role)` |"), "\(role)") }
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
