import Catalogue
import Checkpoints
import ComputeTesting
import Evaluation
import Foundation
import Images
import Jobs
import ModelTesting
import Personalization
import Tensors
import Testing

@testable import Lab

@Suite(.computing) struct ExperimentTablesTests {
    private func withModels(_ body: (TinyModels) throws -> Void) throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        try withExtendedLifetime(tiny) { try body(tiny) }
    }

    private func settings(seeds: Int = 1) -> TableSettings {
        TableSettings(
            subjects: 2, seeds: seeds, prompts: 2, picturesPerPrompt: 2, classPictures: 2, iterations: 2,
            clip: "tiny-clip", dino: "tiny-dino")
    }

    /// - Returns: the tables, and what was said on the way.
    private func run(
        _ tiny: TinyModels, _ settings: TableSettings, _ names: [String], rows: [String]? = nil
    ) throws -> (text: String, said: [String]) {
        var said: [String] = []
        let text = try ExperimentTables(
            models: tiny.folder, folder: tiny.folder + "/run", settings: settings, names: names, rows: rows
        ) { said.append($0) }.run()
        return (text, said)
    }

    @Test func aRunGoesOnWhereItWasStopped() throws {
        try withModels { tiny in
            let first = try run(tiny, settings(), ["arbooth"])
            #expect(first.said.count == 8, "four variants of two subjects: \(first.said)")
            let again = try run(tiny, settings(), ["arbooth"])
            #expect(again.said.isEmpty && again.text == first.text)
            // Killed while the last line was written.
            let path = tiny.folder + "/run/cells.jsonl"
            let lines = try Data(contentsOf: URL(fileURLWithPath: path))
            try lines.dropLast(20).write(to: URL(fileURLWithPath: path))
            let resumed = try run(tiny, settings(), ["arbooth"])
            #expect(resumed.said.count == 1)
            let larger = try run(tiny, settings(seeds: 2), ["arbooth"])
            #expect(
                larger.said.count == 8 && larger.said.allSatisfy { $0.contains("seed 1") },
                "a larger table takes up the smaller one's cells")
            var other = settings()
            other.prompts = 1
            #expect(try run(tiny, other, ["arbooth"]).said.count == 8, "other settings are other cells")
        }
    }

    /// The rows that matter first; the others in another night.
    @Test func someRowsAreFilledAndTheTableHasThoseOfBeforeToo() throws {
        try withModels { tiny in
            let rows = ExperimentTables.rows(of: ["arbooth"])
            #expect(rows.count == 4)
            #expect(try run(tiny, settings(), ["arbooth"], rows: [rows[0]]).said.count == 2)
            let second = try run(tiny, settings(), ["arbooth"], rows: [rows[1]])
            #expect(second.said.count == 2 && second.said.allSatisfy { $0.hasPrefix("\(rows[1]),") })
            #expect(try run(tiny, settings(), ["arbooth"]).said.count == 4)
            #expect(try run(tiny, settings(), ["arbooth"], rows: [rows[0]]).text.contains("ARBooth"))
        }
    }

    /// What a baseline learns with tells its cells apart, and each says what that is.
    @Test func otherStagesAreOtherCells() throws {
        try withModels { tiny in
            var small = settings()
            small.subjects = 1
            let variants = [Baseline.textualInversion, .dreamBooth].map { TableVariant.baseline($0, on: .infinity) }
            let table = PaperTable(
                name: "t", title: "t", rows: variants.map { .init(variant: $0, published: [:]) }, claims: [])
            _ = try ExperimentTables(
                models: tiny.folder, folder: tiny.folder + "/run", settings: small, tables: [table], report: { _ in }
            ).run()
            let cells = try TableFile(folder: tiny.folder + "/run").cells()
            #expect(cells.count == 2 && Set(cells.keys.map(\.inputs)).count == 2)
        }
        let text = Baseline.dreamBooth.settings
        for part in ["iterations: 300", "learningRate: 0.0002", "preservesPrior: true", "32 pictures"] {
            #expect(text.contains(part), "\(text)")
        }
    }

    @Test func noTwoCellsOfOneVariantShareTheirNoise() {
        let keys = (0..<26).flatMap { subject in
            (0..<100).map { TableCell.Key(variant: "", subject: subject, seed: $0, inputs: "") }
        }
        #expect(Set(keys.map(\.randomness)).count == 2600)
        #expect(keys[7].randomness == 7, "the first subject's is the seed")
    }

    @Test func aSheetIsOfTheCellsItsTableIsOf() throws {
        try withModels { tiny in
            var fewer = settings()
            fewer.prompts = 1
            _ = try run(tiny, settings(), ["arbooth"])
            let sheet = URL(fileURLWithPath: tiny.folder + "/run/methods-0.png")
            let first = try Data(contentsOf: sheet)
            _ = try run(tiny, fewer, ["arbooth"])
            #expect(try Data(contentsOf: sheet) != first)
            #expect(try run(tiny, settings(), ["arbooth"]).said.isEmpty)
            #expect(try Data(contentsOf: sheet) == first, "cells that were there are shown as they were drawn")
        }
    }

    @Test func aTrainingThatDivergesLeavesOutItsCell() throws {
        try withModels { tiny in
            let path = tiny.folder + "/pocket-infinity/transformer.safetensors"
            var weights = try Checkpoint.tensors(path)
            var said: [String] = []
            for name in weights.keys {
                // Numbers, but none that can be added up.
                weights[name] = weights[name].map { Tensor(repeating: 3e38, shape: $0.shape) }
            }
            try Safetensors.write(weights, to: path)
            let wild = TableVariant(
                key: "wild", title: "wild", model: "pocket-infinity",
                way: .learned(.lora, ["prior_preservation": .bool(false)]))
            let table = PaperTable(
                name: "t", title: "t",
                rows: [.init(variant: wild, published: [:]), .init(variant: .untunedChameleon, published: [:])],
                claims: [])
            let text = try ExperimentTables(
                models: tiny.folder, folder: tiny.folder + "/run", settings: settings(), tables: [table]
            ) { said.append($0) }.run()
            #expect(said.filter { $0.contains("wild") && $0.contains("left out") }.count == 2, "\(said)")
            #expect(text.contains("| wild | 0 |") && text.contains("| untuned Chameleon | 2 |"))
        }
    }

    @Test func cellsOfSeveralBuildsAreSaidToBe() throws {
        try withModels { tiny in
            let first = try run(tiny, settings(), ["arbooth"]).text
            let path = URL(fileURLWithPath: tiny.folder + "/run/cells.jsonl")
            #expect(!first.contains("builds of the engine"))
            var cells = try String(contentsOf: path, encoding: .utf8)
            let place = try #require(cells.firstRange(of: #""engine":""#))
            cells.replaceSubrange(place.upperBound..<cells.index(place.upperBound, offsetBy: 2), with: "zz")
            try Data(cells.utf8).write(to: path)
            #expect(try run(tiny, settings(), ["arbooth"]).text.contains("made by 2 builds of the engine"))
        }
    }

    @Test func twoRunsShareAFolder() throws {
        try withModels { tiny in
            let file = try TableFile(folder: tiny.folder + "/shared")
            let key = TableCell.Key(variant: "coar", subject: 0, seed: 0, inputs: "")
            func cell(_ seconds: Double) -> TableCell {
                TableCell(key: key, className: "dog", scores: [:], seconds: seconds)
            }
            try file.fill(key) {
                let other = try TableFile(folder: tiny.folder + "/shared")
                for _ in 0..<2 { try other.fill(key) { cell(2) } }
                #expect(
                    try other.cells().isEmpty, "a cell somebody is at is not made twice, however often it is asked for")
                return cell(1)
            }
            try file.fill(key) { cell(3) }
            #expect(try file.cells() == [key: cell(1)])
            #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/shared/claims").isEmpty)
        }
    }

    @Test func theClassifierSeesCellsOfBeforeToo() throws {
        try withModels { tiny in
            let table = PaperTable(
                name: "t", title: "t",
                rows: [TableVariant.references, .world, .worldOfTwo].map { .init(variant: $0, published: [:]) },
                claims: [])
            let file = try TableFile(folder: tiny.folder + "/run")
            var said: [String] = []
            func run() throws -> String {
                try ExperimentTables(
                    models: tiny.folder, folder: tiny.folder + "/run", settings: settings(), tables: [table]
                ) { said.append($0) }.run()
            }
            #expect(try run().contains("No classifier saw the pictures: there is none in \(tiny.folder)/classifier."))
            let before = try file.cells()
            #expect(said.count == 6 && before.count == 6 && before.values.allSatisfy { $0.classifier == nil })
            try tiny.writeClassifier()
            let text = try run()
            let after = try file.cells()
            #expect(said.count == 6, "no cell is made anew: \(said)")
            for (key, cell) in after {
                let shares = cell.scores.filter { before[key]?.scores[$0.key] == nil }
                // Of both prompts together, and each.
                #expect(shares.count == (key.variant == "references" ? 0 : 5), "\(shares)")
                #expect(shares.values.allSatisfy { 0...1 ~= $0 }, "\(shares)")
                #expect(cell.scores.count == before[key].map { $0.scores.count + shares.count })
            }
            #expect(text.contains("|  | n | subject | prompt | both | wearing a red hat | in the jungle |"), "\(text)")
            #expect(text.components(separatedBy: "| what the world itself paints | 2 |").count == 3)
            #expect(text.components(separatedBy: "| references against each other | 2 |").count == 2)
            let lines = try Data(contentsOf: URL(fileURLWithPath: tiny.folder + "/run/cells.jsonl"))
            #expect(try run() == text)
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: tiny.folder + "/run/cells.jsonl")) == lines,
                "what it has seen it does not look at again")
            // Another one does.
            try Data("{}".utf8).write(to: URL(fileURLWithPath: tiny.folder + "/classifier/other.json"))
            _ = try run()
            #expect(try file.cells() != after)
        }
    }

    @Test func aMissingModelSkipsItsRows() throws {
        try withModels { tiny in
            try FileManager.default.removeItem(atPath: tiny.folder + "/pocket-chameleon")
            let (text, said) = try run(tiny, settings(), ["methods", "coar"])
            for variant in ["coar", "coar-lmcl", "untuned-chameleon"] {
                #expect(said.contains { $0.hasPrefix("\(variant) is left out") })
            }
            #expect(text.contains("| untuned Infinity | 2 |") && text.contains("| untuned Chameleon | 0 |"))
            #expect(text.contains("not measured") && text.contains("0.774"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/run/pictures").contains {
                    $0.hasPrefix("lora-infinity-1-0-")
                })
        }
    }

    @Test func everyVariantCanBeRun() throws {
        try withModels { tiny in
            var small = settings()
            small.subjects = 1
            let (text, said) = try run(tiny, small, ExperimentTables.names)
            #expect(Set(said.map { $0.prefix { $0 != "," } }).count == 62 && said.count == 62, "\(said)")
            #expect(!text.contains("not measured") && !text.contains("| 0 |"), "\(text)")
            // All rows of one subject and seed are of the same supervisor's proxies, as many as the greediest needs;
            // its three companions are learnt together with it.
            let taught = try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/run/proxies")
            let proxies = try taught.map { supervisor in
                try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/run/proxies/\(supervisor)")
                    .count { $0.hasSuffix(".png") }
            }
            #expect(proxies.sorted() == [200, 200, 200, 500])
            #expect(text.contains("dino_to_others.tiny-dino"))
            // Thirteen students of one subject; of its neighbour one a model, which both ways to join them have; of
            // four subjects one a model, which rows of one and of two in a prompt have.
            let students = try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/run/students")
            #expect(students.count { $0.hasSuffix(".safetensors") } == 13 + 4 + 4, "\(students)")
            for curve in ["curve-proxies", "curve-rank"] {
                #expect(try Picture(pngFile: "\(tiny.folder)/run/\(curve).png").width == 640)
            }
        }
    }

    /// By what its model says of learning, as in a job.
    @Test func aSupervisorLearnsAsItUsuallyDoes() throws {
        try withModels { tiny in
            var small = settings()
            small.subjects = 1
            let table = PaperTable(
                name: "t", title: "t",
                rows: [TableVariant.supervisor, .supervisorEverywhere].map { .init(variant: $0, published: [:]) },
                claims: [])
            func taught(in run: String) throws -> Int {
                _ = try ExperimentTables(
                    models: tiny.folder, folder: "\(tiny.folder)/\(run)", settings: small, tables: [table],
                    report: { _ in }
                ).run()
                return try FileManager.default.contentsOfDirectory(atPath: "\(tiny.folder)/\(run)/proxies").count
            }
            #expect(try taught(in: "run") == 1)
            let folder = tiny.folder + "/pocket-diffusion"
            var description = try #require(try ModelFolder.written(folder))
            description.training = ["supervisor": ["supervisor_acts_on": "prompt"]]
            try JSONEncoder().encode(description).write(
                to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"))
            #expect(try taught(in: "again") == 2)
        }
    }

    /// By the transformer's digest alone, proxies would stay that another decoder drew.
    @Test func aSupervisorWithAnotherPartTeachesAnew() throws {
        try withModels { tiny in
            var small = settings()
            small.subjects = 1
            let table = PaperTable(
                name: "t", title: "t", rows: [.init(variant: .supervisor, published: [:])], claims: [])
            func taught() throws -> Int {
                _ = try ExperimentTables(
                    models: tiny.folder, folder: tiny.folder + "/run", settings: small, tables: [table],
                    report: { _ in }
                ).run()
                return try FileManager.default.contentsOfDirectory(atPath: tiny.folder + "/run/proxies").count
            }
            #expect(try taught() == 1)
            try Data("{}".utf8).write(to: URL(fileURLWithPath: tiny.folder + "/pocket-diffusion/other.json"))
            #expect(try taught() == 2)
        }
    }

    @Test func withoutEncodersNothingBegins() throws {
        try withModels { tiny in
            try FileManager.default.removeItem(atPath: tiny.folder + "/tiny-dino")
            let missing = #expect(throws: MetricEncoders.Missing.self) { try run(tiny, settings(), ["arbooth"]) }
            #expect(missing?.directories == [tiny.folder + "/tiny-dino"])
        }
    }

    // MARK: Reports

    /// Three subjects of a variant, a hundredth apart.
    private func cells(_ variant: TableVariant, _ scores: [String: Double]) -> [TableCell] {
        (0..<3).map { subject in
            TableCell(
                key: .init(variant: variant.key, subject: subject, seed: 0, inputs: ""), className: "dog",
                scores: scores.mapValues { $0 + Double(subject) / 100 })
        }
    }

    @Test func twoInAPromptAreHeldAgainstEachOther() {
        let (byToken, merged) = (TableVariant.two(.byToken, .chameleon), TableVariant.two(.merged, .chameleon))
        let report = TableReport(
            .proxySeveral,
            cells: cells(byToken, ["dino.d": 0.7, "dino_to_others.d": 0.1])
                + cells(merged, ["dino.d": 0.5, "dino_to_others.d": 0.3]))
        let claims = PaperTable.proxySeveral.claims.filter {
            Set([$0.greater.key, $0.lesser.key]) == [byToken.key, merged.key]
        }
        #expect(claims.map(\.metric) == [.dino, .otherDINO])
        #expect(claims.allSatisfy { report.verdict($0).word == "holds" })
        let text = report.markdown
        #expect(text.contains("| \(byToken.title) | 3 | 0.710 ± 0.025 | 0.110 ± 0.025 |"), "\(text)")
        #expect(text.contains("are of the left one alone"))
        #expect(!TableReport(.proxy, cells: []).markdown.contains("are of the left one alone"))
    }

    /// Every way that two come into a prompt is a row of every model, beside what the world paints.
    @Test func everyModelDrawsTwoInThreeWays() {
        let two = PaperTable.proxySeveral.rows.map(\.variant).filter(\.isOfTwo)
        #expect(two.count == 13 && Set(two.map(\.key)).count == 13)
        #expect(Set(two.compactMap(\.model)).count == 4 && two.count { $0.subjects == TableSettings.together } == 4)
    }

    @Test func aCurveHasThePointsThatWereMeasured() throws {
        let (proxies, ranks) = (PaperTable.proxyCurves.curves[0], PaperTable.proxyCurves.curves[1])
        #expect(proxies.points.map(\.x) == [10, 50, 100, 200, 500] && ranks.points.map(\.x) == [4, 8, 16, 32, 64])
        let report = TableReport(
            .proxyCurves,
            cells: cells(.proxies(10), ["dino.d": 0.5]) + cells(.proxies(200), ["dino.d": 0.7])
                + cells(.rank(64), ["dino.d": 0.8]))
        func points(_ curve: PaperTable.Curve) -> [String] {
            report.points(of: curve, .dino).map { String(format: "%.0f %.2f", $0.x, $0.y) }
        }
        #expect(points(proxies) == ["10 0.51", "200 0.71"])
        #expect(points(ranks) == ["16 0.71", "64 0.81"], "the rule of both is one row")
        #expect(report.points(of: ranks, .clipI).isEmpty)
    }

    // MARK: Claims

    /// A row that no claim is about says nothing of what a paper says.
    @Test func everyMethodIsInAClaim() {
        let claimed = Set(PaperTable.methods.claims.flatMap { [$0.greater.key, $0.lesser.key] })
        for row in PaperTable.methods.rows where row.variant.untuned != nil {
            #expect(claimed.contains(row.variant.key), "\(row.variant.key)")
        }
    }

    /// Of two rows whose figures are published the claim is theirs.
    @Test func claimsGoThePapersWay() {
        var compared = 0
        for table in PaperTable.all {
            let rows = Dictionary(uniqueKeysWithValues: table.rows.map { ($0.variant.key, $0.published) })
            for claim in table.claims {
                guard let greater = rows[claim.greater.key]?[claim.metric],
                    let lesser = rows[claim.lesser.key]?[claim.metric]
                else { continue }
                #expect(greater > lesser, "\(table.name): \(claim.statement), \(claim.metric.rawValue)")
                compared += 1
            }
        }
        #expect(compared > 25)
    }

    // MARK: Verdicts

    private func report(_ left: [[Double]], _ right: [[Double]], metric: String = "pres.pocket-dino") -> TableReport {
        func cells(_ variant: TableVariant, _ values: [[Double]]) -> [TableCell] {
            values.enumerated().flatMap { subject, seeds in
                seeds.enumerated().map { seed, value in
                    TableCell(
                        key: .init(variant: variant.key, subject: subject, seed: UInt64(seed), inputs: ""),
                        className: "dog", scores: [metric: value])
                }
            }
        }
        return TableReport(.arbooth, cells: cells(.fullTuning, left) + cells(.arbooth, right))
    }

    private let claim = PaperTable.arbooth.claims[0]  // full tuning has more PRES than ARBooth

    @Test func aClaimHoldsWhereSubjectsAgree() {
        // Subjects differ much from each other, and each moves by about a tenth.
        #expect(report([[0.3], [0.6], [0.91]], [[0.2], [0.5], [0.8]]).verdict(claim).word == "holds")
        #expect(report([[0.2], [0.5], [0.8]], [[0.3], [0.6], [0.91]]).verdict(claim).word == "does not hold")
        #expect(report([[0.3], [0.4], [0.9]], [[0.2], [0.5], [0.8]]).verdict(claim).word == "within noise")
    }

    @Test func onlySeedsThatBothRowsHaveAreCompared() {
        let difference = report([[0.3, 0.9], [0.6]], [[0.2], [0.5, 0.1]]).verdict(claim).difference
        #expect(abs((difference?.mean ?? 0) - 0.1) < 1e-9)
    }

    @Test func seedsOfOneSubjectAreNoIndependentWitnesses() {
        let (word, difference) = report([[0.3, 0.3, 0.3, 0.3]], [[0.2, 0.2, 0.2, 0.2]]).verdict(claim)
        #expect(word == "within noise" && difference?.count == 1)
    }

    @Test func aDriftIsToldAsAShareOfTheWay() {
        func cell(_ variant: TableVariant, _ seed: UInt64, _ scores: [String: Double]) -> TableCell {
            TableCell(
                key: .init(variant: variant.key, subject: 0, seed: seed, inputs: ""), className: "dog", scores: scores)
        }
        // From 0.4 to 0.9 it is 0.5: one goes a tenth of it, the other four.
        let cells: [TableCell] = (UInt64(0)..<2).flatMap { seed in
            [
                cell(.references, seed, ["dino.d": 0.9]), cell(.untunedInfinity, seed, ["pres.d": 0.4]),
                cell(.undistilled, seed, ["pres.d": seed == 0 ? 0.45 : 0.8]),
            ]
        }
        let text = TableReport(.arbooth, cells: cells).markdown
        #expect(
            text.contains(
                """
                | without prior distillation | 2 | – (0.823) | – (0.896) | – (0.236) | 0.625 (0.839) | – (0.209) | \
                0.45 (1 of 2) |
                """
            ), "\(text)")
        #expect(
            TableReport(.arbooth, cells: cells.filter { $0.key.variant != "references" }).markdown.contains(
                "0.625 (0.839) | – (0.209) |  |"))
    }

    @Test func whatWasNotMeasuredIsNoVerdict() {
        #expect(report([[0.3]], [[0.2]], metric: "dino.pocket-dino").verdict(claim).word == "not measured")
    }
}
