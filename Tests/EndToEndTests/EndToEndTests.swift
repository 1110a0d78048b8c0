import DaemonTesting
import Foundation
import Hashing
import Jobs
import Store
import Testing

/// The whole of it: the shipped model in the real engine, a child of the real daemon, with real servers. Whatever
/// happens on the way, a job ends once, and with the bytes it would have ended with.
@Suite(.serialized, .timeLimit(.minutes(30))) struct EndToEndTests {
    private func withStage(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with(settings: TrainingJob.settings, body)
    }

    /// Publishes the training and waits until it can be disturbed: in the middle of training, behind a checkpoint.
    private func beginTraining(_ stage: Stage) async throws -> String {
        let id = UUID().uuidString
        try await stage.row(in: "checkpoints", within: TrainingJob.patience) {
            try await stage.publish(body: TrainingJob.body(), id: id, kind: "personalize")
        }
        return id
    }

    /// The training ended well, in one outcome, with what an undisturbed run makes, and its second attempt took up the
    /// first one's work.
    private func expectConceptLearnt(_ id: String, on stage: Stage) async throws -> JSONValue {
        let job = try await stage.job(id, within: TrainingJob.patience, reaches: .completed)
        let expected = try await UndisturbedRun.shared.value
        #expect(job.digest(of: "adapter") == expected.adapter)
        #expect(job.digest(of: "picture") == expected.picture)
        #expect(job["attempt"] == .integer(2))
        #expect((job["attempts"]?[1]?["resumed_from_step"]?.integer ?? 0) > 0)
        let outcome = try #require(try await stage.outcomes(1).first)
        #expect(outcome["job"] == job["id"] && outcome["state"]?.string == "completed")
        #expect(
            try await stage.store.query(
                "select 1 from atelier.outbox where event in ('completed', 'discarded', 'cancelled')"
            ).count == 1)
        return job
    }

    @Test func anEngineKilledInTrainingEndsInTheAdapterOfAnUndisturbedRun() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await beginTraining(stage)
            kill(try #require(stage.engine), SIGKILL)
            let job = try await expectConceptLearnt(id, on: stage)
            #expect(job["failures"] == .integer(1))
            let first = try #require(job["attempts"]?.array?.first)
            #expect(
                first["outcome"]?.string == "crashed" && first["error_message"]?.string?.contains("SIGKILL") == true)
            // What was learnt is there to be used.
            let generation = TrainingJob.generation("a <rex> dog in the jungle")
            try await stage.publish(body: generation, id: "with rex")
            let picture = try await stage.job("with rex", within: TrainingJob.patience, reaches: .completed).digest(
                of: "picture")
            // Also elsewhere, with nothing but the file.
            let file = stage.folder.path + "/taken-along.safetensors"
            let body = try stage.folder.write("generate.json", String(decoding: generation, as: UTF8.self))
            let export = try await stage.control("concepts", "export", "rex", "--out", file)
            try #require(export.status == 0 && export.lines == [file], "\(export)")
            let without = try await stage.control("run", body, "--out", stage.folder.path + "/without")
            #expect(without.status == 65 && without.errors.contains("--adapter NAME=FILE gives one"), "\(without)")
            let run = try await stage.control(
                "run", body, "--adapter", "rex=" + file, "--out", stage.folder.path + "/elsewhere")
            try #require(run.status == 0, "\(run)")
            #expect(try SHA256Digest.ofFile(stage.folder.path + "/elsewhere/picture-001.png").description == picture)
        }
    }

    @Test func aDaemonKilledInTrainingEndsInTheAdapterOfAnUndisturbedRun() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await beginTraining(stage)
            let engine = try #require(stage.engine)
            await stage.stop(SIGKILL)
            try stage.start()
            let job = try await expectConceptLearnt(id, on: stage)
            #expect(job["failures"] == .integer(0) && job["rescues"] == .integer(1))
            #expect(stage.engine != engine && kill(engine, 0) == -1, "the first daemon's engine lives on")
        }
    }

    @Test func aDrainedDaemonHandsItsTrainingOver() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await beginTraining(stage)
            #expect(await stage.stop(SIGTERM) == 0)
            let waiting = try await stage.job(id, reaches: .available)
            #expect(waiting["failures"] == .integer(0))
            let first = try #require(waiting["attempts"]?.array?.first)
            #expect(first["outcome"]?.string == "interrupted" && first["error_code"]?.string == "daemon.interrupted")
            // The engine heard SIGTERM, for it saved the very step it stopped at.
            let step = try #require(waiting["checkpoints"]?.array?.last?["step"]?.integer)
            try stage.start()
            let job = try await expectConceptLearnt(id, on: stage)
            #expect(job["attempts"]?[1]?["resumed_from_step"] == .integer(step))
            #expect(job["failures"] == .integer(0) && job["rescues"] == .integer(0))
        }
    }

    @Test func aCancelledTrainingStopsAndLeavesTheEngineToOthers() async throws {
        try await withStage { stage in
            try stage.start()
            let id = try await beginTraining(stage)
            let engine = try #require(stage.engine)
            let run = try await stage.control("jobs", "cancel", id, "--reason", "enough", "--yes")
            #expect(run.status == 0 && run.output.contains("stopping"), "\(run)")
            let job = try await stage.job(id, within: TrainingJob.patience, reaches: .cancelled)
            #expect(job["failures"] == .integer(0) && job["attempt"] == .integer(1))
            #expect(job["artifacts"]?.array?.isEmpty == true && kill(engine, 0) == -1)
            let outcome = try #require(try await stage.outcomes(1).first)
            #expect(outcome["state"]?.string == "cancelled" && outcome["reason"]?.string == "enough")
            try await stage.publish(body: TrainingJob.generation(), id: "next")
            _ = try await stage.job("next", within: TrainingJob.patience, reaches: .completed)
        }
    }

    // MARK: - Bad input

    /// A body that is no good, and what its sender hears: the state, the error's code, and each problem's place and
    /// what is allowed there.
    struct BadInput: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: Data
        let state: String
        var code: String?
        let problems: [String: String]
    }

    static let badInputs: [BadInput] = [
        BadInput(
            testDescription: "a picture that only begins like a PNG",
            body: TrainingJob.body([
                "images": .array([
                    .object([
                        "png": .string(
                            Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 1, 2]).base64EncodedString())
                    ])
                ])
            ]),
            state: "rejected", problems: ["/images/0/png": "a PNG, a JPEG or a WebP of 16 to 16384 pixels a side"]),
        BadInput(
            testDescription: "a picture that is none",
            body: TrainingJob.body(["images": .array([.object(["png": .string("bm90IGEgcGljdHVyZQ==")])])]),
            state: "rejected", problems: ["/images/0/png": "a PNG, a JPEG or a WebP"]),
        BadInput(
            testDescription: "a picture the store does not have",
            body: TrainingJob.body([
                "images": .array([.object(["artifact": .string("sha256:" + String(repeating: "0", count: 64))])])
            ]),
            state: "discarded", code: "input.artifact",
            problems: ["/images/0/artifact": "an artifact that you sent"]),
        BadInput(
            testDescription: "options that are unknown or out of range",
            body: TrainingJob.body(["options": .object(["iteration": .integer(5), "batch": .integer(0)])]),
            state: "rejected", problems: ["/options/iteration": "iterations", "/options/batch": "1 to 16"]),
        BadInput(
            testDescription: "guidance for other scales than the model's",
            body: TrainingJob.generation(guidance: [3, 2]),
            state: "rejected",
            problems: ["/options/guidance": "one for each scale"]),
        BadInput(
            testDescription: "a prompt that is too long for the model",
            body: TrainingJob.generation(String(repeating: "very ", count: 60) + "red dog"),
            state: "rejected", problems: ["/prompts/0": "at most 32 tokens"]),
        BadInput(
            testDescription: "a sample's prompt that is too long",
            body: TrainingJob.body([
                "prompts": .array([
                    .string(TrainingJob.prompt), .string(String(repeating: "very ", count: 60) + "red <rex> dog"),
                ])
            ]),
            state: "rejected", problems: ["/prompts/1": "at most 32 tokens"]),
        BadInput(
            testDescription: "a model nobody has", body: TrainingJob.generation(model: "infinity-20b"),
            state: "rejected",
            problems: ["/model": "pocket-infinity"]),
        BadInput(
            testDescription: "a concept nobody has learnt", body: TrainingJob.generation("a <max> dog in the snow"),
            state: "discarded", code: "concept.unknown",
            problems: ["/prompts/0": "personalize it first"]),
        BadInput(
            testDescription: "a sample of another concept",
            body: TrainingJob.body(["prompts": .array([.string("a <max> dog")])]), state: "rejected",
            problems: ["/prompts/0": "<rex>"]),
    ]

    @Test func badInputIsAnsweredWithWhereWhatAndWhatIsAllowedAndTheDaemonGoesOn() async throws {
        try await withStage { stage in
            try stage.start()
            for (number, bad) in Self.badInputs.enumerated() {
                try await stage.publish(body: bad.body, id: "bad \(number)", kind: nil)
            }
            try await stage.publish(body: TrainingJob.generation(), id: "good")
            _ = try await stage.job("good", within: TrainingJob.patience, reaches: .completed)
            let outcomes = try await stage.outcomes(Self.badInputs.count + 1)
            for (number, bad) in Self.badInputs.enumerated() {
                let outcome = try #require(
                    outcomes.first { $0["message_id"]?.string == "bad \(number)" }, "\(bad.testDescription)")
                expect(outcome, of: bad)
            }
            #expect(outcomes.filter { $0["state"]?.string == "completed" }.count == 1)
            #expect(
                try await stage.store.query("select 1 from atelier.attempts where attempt > 1").isEmpty,
                "bad input is tried once")
        }
    }

    private func expect(_ outcome: JSONValue, of bad: BadInput) {
        let about = Comment(rawValue: "\(bad.testDescription): \(outcome.text)")
        #expect(outcome["state"]?.string == bad.state, about)
        #expect(outcome["error"]?["code"]?.string == bad.code, about)
        let problems = (outcome["problems"] ?? outcome["error"]?["problems"])?.array ?? []
        #expect(problems.compactMap { $0["pointer"]?.string }.sorted() == bad.problems.keys.sorted(), about)
        for problem in problems {
            #expect(problem["found"]?.string?.isEmpty == false, about)
            #expect(
                problem["allowed"]?.string?.contains(bad.problems[problem["pointer"]?.string ?? ""] ?? "?") == true,
                about)
        }
    }
}
