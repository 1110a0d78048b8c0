import Broker
import DaemonTesting
import FileTesting
import Foundation
import Jobs
import ServerTesting
import Testing

/// Inputs from real life, as they lie beside the repository, sent to a real daemon with the real engine: each is
/// answered as is right, and work goes on.
@Suite(
    .serialized, .timeLimit(.minutes(15)),
    .enabled(if: sharedFolder("cases") != nil, "the cases (../shared/cases) are not on this machine"))
struct CaseTests {
    private static let cases = sharedFolder("cases") ?? ""

    private func file(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: "\(Self.cases)/\(name)")) }

    private func withStage(
        _ settings: [String: String] = [:], _ body: (Stage) async throws -> Void
    ) async throws {
        try await Stage.with(settings: TrainingJob.settings) { stage in
            try stage.start(settings)
            try await body(stage)
        }
    }

    /// That messages after them are still answered.
    private func expectProbeAnswered(_ stage: Stage) async throws {
        try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), id: "after", kind: "probe")
        let outcomes = try await stage.outcomes(1)
        #expect(outcomes[0]["message_id"] == "after")
    }

    @Test func picturesThatAreNoneAndTinyOnesAreOneRejectionWithEveryPlace() async throws {
        let names = [
            "04-wrong-formats/login": "a web page", "04-wrong-formats/pointer": "a Git LFS pointer",
            "04-wrong-formats/photo-heic": "a HEIC picture", "04-wrong-formats/truncated": "damaged",
            "08-tiny-pictures/1x1": "a PNG of 1×1", "08-tiny-pictures/1x8192": "a PNG of 1×8192",
            "08-tiny-pictures/2x386": "a PNG of 2×386", "08-tiny-pictures/3x3": "a PNG of 3×3",
            "08-tiny-pictures/8192x1": "a PNG of 8192×1",
        ].sorted { $0.key < $1.key }
        let bytes = try names.map { try file($0.key + ".png").base64EncodedString() }
        let texts = bytes + ["data:image/png;base64," + bytes[0], String(bytes[3].dropLast(3))]
        let words = names.map(\.value) + ["data:", "base64"]
        try await withStage { stage in
            let images = texts.map { JSONValue.object(["png": .string($0)]) }
            try await stage.publish(
                body: TrainingJob.body(["images": .array(images)]), id: "pictures", kind: "personalize")
            let rejection = try await stage.outcomes(1)[0]
            #expect(rejection["state"] == "rejected")
            let problems = rejection["problems"]?.array ?? []
            #expect(
                Set(problems.compactMap { $0["pointer"]?.string }) == Set(words.indices.map { "/images/\($0)/png" }))
            for problem in problems {
                let place = problem["pointer"]?.string?.split(separator: "/").dropFirst().first.flatMap { Int($0) }
                let expected = words[place ?? 0]
                #expect(problem["found"]?.string?.contains(expected) == true, "\(expected): \(problem)")
            }
            try await expectProbeAnswered(stage)
        }
    }

    @Test func bodiesThatAreNoStrictJSONAreRejectedWithThePlace() async throws {
        let bodies = [
            "trailing-comma.json": "byte", "latin1.bin": "byte", "lone-surrogate.json": "byte",
            "duplicate-key.json": "prompts",
        ]
        try await withStage { stage in
            for (name, word) in bodies {
                try await stage.publish(body: try file("10-malformed-json/" + name), id: name, kind: nil)
                let rejection = try await stage.outcomes(1)[0]
                #expect(rejection["state"] == "rejected" && rejection["message_id"]?.string == name)
                let text = rejection["problems"]?.text ?? ""
                #expect(text.contains(word), "\(name): \(text)")
            }
            try await expectProbeAnswered(stage)
        }
    }

    @Test func timesThatDoNotExistAreRejectedAtTheirHeader() async throws {
        try await withStage { stage in
            let lines = String(decoding: try file("33-times/headers.txt"), as: UTF8.self).split(separator: "\n")
            #expect(lines.count == 4)
            for line in lines {
                let time = String(line.prefix { $0 != " " })
                let properties = MessageProperties(
                    contentType: "application/json", messageID: time, headers: ["run_after": .string(time)])
                try await stage.publish(body: Data(#"{"version":1,"kind":"probe"}"#.utf8), properties: properties)
                if line.hasSuffix("(fine)") {
                    _ = try await stage.job(time) { _ in true }
                } else {
                    let rejection = try await stage.outcomes(1)[0]
                    #expect(rejection["problems"]?[0]?["pointer"] == "property:headers/run_after", "\(rejection)")
                }
            }
        }
    }

    @Test func aPointerWithoutEndIsCutEverywhere() async throws {
        try await withStage { stage in
            let folder = try TemporaryFolder()
            let script = "\(Self.cases)/50-long-pointer/make.py"
            let body = folder.path + "/body"
            let made = try await ProgramRun(
                "/bin/sh", ["-c", "python3 \(script) 9 > \(body)"], environment: ["PATH": "/usr/bin:/bin"])
            try #require(made.status == 0, "\(made)")
            try await stage.publish(body: Data(contentsOf: URL(filePath: body)), id: "long", kind: nil)
            let rejection = try await stage.outcomes(1)[0]
            let pointer = rejection["problems"]?[0]?["pointer"]?.string ?? ""
            #expect((1...300).contains(pointer.count), "\(pointer.count)")
            #expect(rejection.text.utf8.count < 4000)
            #expect(stage.log.split(separator: "\n").allSatisfy { $0.utf8.count < 4000 })
            let rows = try await stage.store.query("select length(problems::text) as length from atelier.rejections")
            #expect(rows.first?["length"].flatMap { Int($0) }.map { $0 < 4000 } == true, "\(rows)")
            try await expectProbeAnswered(stage)
        }
    }

    @Test(arguments: [100, 150, 200]) func aMemoryLimitThatIsTooSmallIsSaidAtOnce(_ limit: Int) async throws {
        try await withStage(["ATELIER_ENGINE_MEMORY_MIB": String(limit)]) { stage in
            try await stage.publish(body: TrainingJob.body(), id: "small", kind: "personalize")
            let job = try await stage.job("small", within: 120) { ($0["failures"]?.integer ?? 0) > 0 }
            let first = try #require(job["attempts"]?[0])
            #expect(first["error_code"] == "engine.memory", "\(first)")
            let message = first["error_message"]?.string ?? ""
            #expect(message.contains("\(limit) MiB") && message.contains("Raise engineMemoryMiB"), "\(message)")
            let check = try await ProgramRun(
                Stage.programs + "/atelierd", ["check"],
                environment: [
                    "PATH": "/usr/bin:/bin", "ATELIER_ENGINE_MEMORY_MIB": String(limit),
                    "ATELIER_STATE_DIRECTORY": stage.folder.path, "ATELIER_AMQP_URL": stage.servers.amqpURL,
                    "ATELIER_POSTGRES_URL": stage.servers.postgresURL,
                ].merging(TrainingJob.settings) { $1 })
            #expect((check.output + check.errors).contains("less than an engine needs"), "\(check)")
        }
    }

    @Test func aCancelInTheLastStageLeavesNoConcept() async throws {
        try await withStage { stage in
            let prompts = (1...60).map { JSONValue.string("a <rex> dog on the beach, number \($0)") }
            let body = TrainingJob.body([
                "prompts": .array(prompts),
                "options": ["iterations": 2, "batch": 1, "distillation_maps": 1],
            ])
            try await stage.publish(body: body, id: "late", kind: "personalize")
            _ = try await stage.job("late", within: TrainingJob.patience) { $0["stage"]?.string == "generate" }
            let cancel = try await stage.control("jobs", "cancel", "late", "--yes")
            #expect(cancel.status == 0 && cancel.output.contains("stopping"), "\(cancel)")
            _ = try await stage.job("late", within: 30, reaches: .cancelled)
            #expect(try await stage.store.query("select from atelier.concepts").isEmpty)
        }
    }

    @Test func aTrainingThatDivergesGivesItsConceptNoName() async throws {
        try await withStage { stage in
            try await stage.publish(body: try file("22-diverged/job.json"), id: "lr", kind: "personalize")
            let job = try await stage.job("lr", within: TrainingJob.patience, reaches: .discarded)
            #expect(job["error_code"] == "training.diverged", "\(job)")
            #expect(try await stage.store.query("select from atelier.concepts").isEmpty)
        }
    }

    @Test func whatIsNoAdapterIsNamedForWhatItIs() async throws {
        let files = [
            "lfs": "pointer", "page": "web page", "pickle-zip": "PyTorch", "pickle-legacy": "PyTorch",
        ]
        let folder = try TemporaryFolder()
        let job = try folder.write(
            "job.json", String(decoding: TrainingJob.generation("a <lo> dog"), as: UTF8.self))
        for (name, word) in files {
            let run = try await ProgramRun(
                Stage.programs + "/atelierctl",
                [
                    "run", job, "--adapter", "lo=\(Self.cases)/14-not-safetensors/\(name).safetensors", "--out",
                    folder.path + "/out", "--json",
                ], environment: TrainingJob.settings.merging(["PATH": "/usr/bin:/bin"]) { $1 })
            let text = run.output + run.errors
            #expect(run.status != 0 && text.contains("concept.unusable") && text.contains(word), "\(name): \(text)")
        }
    }
}
