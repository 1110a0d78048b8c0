import DaemonTesting
import Foundation
import Hashing
import Jobs
import Store
import Testing

@testable import Daemon

/// Which proxies of other jobs a job may learn from: at the door, and when it begins.
@Suite(.timeLimit(.minutes(15))) struct ReusedProxiesTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]
    private static let job = UUID()
    private static let digest = SHA256Digest.of([1])

    /// Knows one job.
    private struct Drew: ConceptSource {
        let job: DrawingJob?

        func newestConcepts(tenant: String) -> [StoredConcept] { [] }

        func concepts(_ versions: [(name: String, version: Int)], tenant: String) -> [StoredConcept] { [] }

        func adapters(
            of mentions: [ConceptMention], model: String, tenant: String
        ) -> [String: InspectionOrder.Adapter] { [:] }

        func drawing(_ job: UUID, tenant: String) -> DrawingJob? { self.job }
    }

    /// Counts how often it is asked for the one job that it knows.
    private actor Asked: ConceptSource {
        private(set) var count = 0

        func newestConcepts(tenant: String) -> [StoredConcept] { [] }

        func concepts(_ versions: [(name: String, version: Int)], tenant: String) -> [StoredConcept] { [] }

        func adapters(
            of mentions: [ConceptMention], model: String, tenant: String
        ) -> [String: InspectionOrder.Adapter] { [:] }

        func drawing(_ job: UUID, tenant: String) -> DrawingJob? {
            count += 1
            return DrawingJob(state: .running, spec: ReusedProxiesTests.drawing())
        }
    }

    /// A job that draws a dog and a cat.
    private static func drawing(_ model: String = "pocket-chameleon") -> JSONValue {
        let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]
        return [
            "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": .string(model),
            "images": [picture, picture],
            "concepts": [
                ["name": "rex", "role": "subject", "class": "dog", "images": [0]],
                ["name": "mia", "role": "subject", "class": "cat", "images": [1]],
            ],
        ]
    }

    /// A job that learns subjects, by name and class, from what another drew.
    private static func reusing(_ subjects: KeyValuePairs<String, String>, of job: UUID = Self.job) -> JSONValue {
        let source: JSONValue = ["job": .string(job.uuidString.lowercased())]
        let concepts = subjects.map { name, noun -> JSONValue in
            ["name": .string(name), "role": "subject", "class": .string(noun), "proxies": source]
        }
        return [
            "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": "pocket-chameleon",
            "concepts": .array(concepts),
        ]
    }

    private func found(
        _ subjects: KeyValuePairs<String, String>, of job: DrawingJob?, models: ModelChoice = .any
    ) async throws -> [ReusedProxies.Finding] {
        let reused = ReusedProxies(source: Drew(job: job), tenant: "t", models: models)
        return try await reused.findings(for: JobSpec(Self.reusing(subjects))).map(\.finding)
    }

    private func mistakes(
        _ subjects: KeyValuePairs<String, String>, of job: DrawingJob?, models: ModelChoice = .any
    ) async throws -> [String] {
        try await found(subjects, of: job, models: models).compactMap {
            if case .unusable(let problem) = $0 { "\(problem.found); \(problem.allowed)" } else { nil }
        }
    }

    @Test func aConceptTakesItsOwnProxiesOfAJobThatCompleted() async throws {
        let proxies = ["a <rex> dog", "a <mia> cat"].map { StoredProxy(digest: Self.digest, prompt: $0) }
        let job = DrawingJob(state: .completed, spec: Self.drawing(), proxies: proxies)
        let findings = try await found(["mia": "cat", "rex": "dog"], of: job)
        #expect(findings == [.drawn([proxies[1]]), .drawn([proxies[0]])])
        let gone = ReusedProxies(source: Drew(job: job), tenant: "t") { _ in false }
        let problems = try await gone.remarks(on: JobSpec(Self.reusing(["rex": "dog"]))).problems
        #expect(problems.map(\.pointer) == ["/concepts/0/proxies"])
        #expect(problems.first?.found.hasSuffix("whose proxies are not in the store any more") == true)
    }

    @Test(arguments: JobState.allCases) func whatMayStillBeDrawnIsWaitedFor(_ state: JobState) async throws {
        let job = DrawingJob(state: state, spec: Self.drawing())
        let finding = try await found(["rex": "dog"], of: job)[0]
        switch finding {
        case .drawn: Issue.record("nothing was drawn")
        case .pending(let problem):
            #expect(!state.isFinal && problem.found.hasSuffix("which has not drawn them all yet"))
        case .unusable: #expect(state.isFinal)
        }
        // What is another's is known before it is drawn.
        #expect(try await mistakes(["rex": "owl"], of: job) == ["proxies of a dog; proxies of an owl"])
    }

    /// Its student may have diverged, or may learn still.
    @Test(arguments: JobState.allCases) func whatIsDrawnIsTakenWhateverBecomesOfItsJob(_ state: JobState) async throws {
        let own = StoredProxy(digest: Self.digest, prompt: "a <rex> dog")
        let half = StoredProxy(digest: Self.digest, prompt: "a <mia> cat")
        let job = DrawingJob(state: state, spec: Self.drawing(), proxies: [own, half], sheets: ["proxies-rex.png"])
        #expect(try await found(["rex": "dog"], of: job) == [.drawn([own])])
        let other = try await found(["mia": "cat"], of: job)[0]
        switch other {
        case .drawn: #expect(state == .completed)
        case .pending: #expect(!state.isFinal)
        case .unusable(let problem):
            #expect(state.isFinal && problem.found.hasSuffix("which was \(state.rawValue) before all were drawn"))
        }
    }

    @Test func aJobLearnsFromWhatACancelledOneDrew() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try StubModel.write("pocket-diffusion", .diffusion, in: stage.folder.path)
            try stage.start()
            let body = Script.personalization(
                "rex", method: "proxy-tuning", model: "pocket-chameleon", seed: 1,
                script: "steps=5000 delay=20 proxies")
            try await stage.publish(body: body, id: "drawing", kind: "personalize")
            let roles = { (job: JSONValue) in (job["artifacts"]?.array ?? []).compactMap { $0["role"]?.string } }
            // Whoever looks meanwhile sees them.
            let drawing = try await stage.job("drawing") { roles($0).sorted() == ["proxies", "proxy", "proxy"] }
            #expect(drawing["state"] == "running")
            let id = try #require(drawing.jobID)
            _ = try await stage.store.cancel(id, reason: nil)
            let cancelled = try await stage.job("drawing", reaches: .cancelled)
            #expect(roles(cancelled).count == 3)
            let shown = try await stage.control("jobs", "show", "drawing").output
            #expect(shown.contains("subject=rex  role=proxy  pictures=2"), "\(shown)")
            #expect(!shown.contains("proxy-rex-0001"), "\(shown)")
            try await stage.publish(
                body: Self.reusing(["rex": "dog"], of: id).line, id: "learning", kind: "personalize")
            let learning = try await stage.job("learning", reaches: .completed)
            #expect(learning["result"]?["given"] == ["rex": ["a <rex> dog", "a <rex> dog"]])
        }
    }

    @Test func whatIsNoProxiesOfTheConceptIsNamed() async throws {
        let name = "the job \(Self.job.uuidString.lowercased())"
        let job = DrawingJob(state: .running, spec: Self.drawing())
        let none = ["\(name), which has drawn no proxies of yours; \(ProxySource.rule)"]
        #expect(try await mistakes(["rex": "dog"], of: nil) == none)
        let reuser = DrawingJob(state: .completed, spec: Self.reusing(["rex": "dog"]))
        #expect(try await mistakes(["rex": "dog"], of: reuser) == none)
        #expect(
            try await mistakes(["max": "dog", "rex": "cat"], of: job) == [
                "\(name), which drew rex, mia; a job that drew max", "proxies of a dog; proxies of a cat",
            ])
        let large = DrawingJob(state: .running, spec: Self.drawing("large"))
        let models = ModelChoice(
            [("pocket-chameleon", 64), ("large", 256)].map { name, side in
                ModelDescription(
                    family: .chameleon, name: name, pictures: [.init(width: side, height: side)], digest: "d")
            })
        #expect(
            try await mistakes(["rex": "dog"], of: large, models: models) == [
                "proxies of 256×256, as large draws; proxies of 64×64, as pocket-chameleon draws"
            ])
    }

    /// For all that is said of it: its proxies may be thousands.
    @Test func oneJobIsAskedForOnce() async throws {
        let source = Asked()
        let spec = try JobSpec(Self.reusing(["rex": "dog", "mia": "bird"]))
        let told = try await LearntConcepts(source: source).proxies(of: spec, tenant: "t", models: .any)
        #expect(told.problems.map(\.pointer) == ["/concepts/1/proxies"] && told.warnings.count == 1, "\(told)")
        #expect(await source.count == 1)
    }

    /// Whatever the job says of them: another's need not be asked for.
    @Test func proxiesThatAreAtHandAreNotLookedFor() async throws {
        let source = Asked()
        let spec = try JobSpec(Self.reusing(["rex": "dog", "mia": "bird"]))
        let concepts = LearntConcepts(source: source)
        let mia = try await concepts.proxies(of: spec, tenant: "t", models: .any, beside: ["mia"])
        #expect(mia.problems.isEmpty && mia.warnings.count == 1, "\(mia)")
        let both = try await concepts.proxies(of: spec, tenant: "t", models: .any, beside: ["mia", "rex"])
        #expect(both.problems.isEmpty && both.warnings.isEmpty, "\(both)")
        #expect(await source.count == 1)
    }

    /// At the door what never will do is refused, and what is not there yet told; when the job begins it must be there.
    @Test func aJobIsHeldAgainstThoseItLearnsFrom() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            let drawing = try await stage.store.accept([
                Submission(
                    tenant: TenantRules.anonymous, messageID: "drawing", kind: .personalize, spec: Self.drawing("gone"),
                    model: "gone")
            ])[0].job
            try stage.start()
            try await stage.publish(
                body: Self.reusing(["rex": "owl", "mia": "bird"], of: drawing).line, id: "wrong", kind: "personalize")
            let rejected = try await stage.outcomes(1)[0]
            #expect(rejected["event"] == "rejected" && rejected["message_id"] == "wrong")
            let pointers = rejected["problems"]?.array?.compactMap { $0["pointer"]?.string }
            #expect(pointers == ["/concepts/0/proxies", "/concepts/1/proxies"])
            #expect(rejected["problems"]?[1]?["found"] == "proxies of a cat")
            #expect(rejected["problems"]?[1]?["allowed"] == "proxies of a bird")
            let wrong = try stage.folder.write("wrong.json", Self.reusing(["rex": "owl"], of: drawing).text)
            let priced = try await stage.control("estimate", wrong, "--tenant", TenantRules.anonymous)
            #expect(priced.status == 65, "\(priced)")
            #expect(priced.errors.contains("/concepts/0/proxies: found proxies of a dog"), "\(priced)")
            let digest = SHA256Digest.of(Data("an owl".utf8)).description
            try stage.folder.write("owl.png", "an owl")
            try stage.folder.write(
                "proxies-rex.json", #"{"proxies":[{"name":"owl.png","prompt":"a <rex> owl","sha256":"\#(digest)"}]}"#)
            let given = try await stage.control(
                "estimate", wrong, "--tenant", TenantRules.anonymous, "--proxies", "rex=" + stage.folder.path)
            #expect(!given.errors.contains("is not a job"), "\(given)")
            try await stage.publish(
                body: Self.reusing(["rex": "dog"], of: drawing).line, id: "early", kind: "personalize")
            let early = try await stage.job("early", reaches: .discarded)
            let told = """
                /concepts/0/proxies: the job \(drawing.uuidString.lowercased()), which has not drawn them all yet, and \
                must have when this one begins
                """
            #expect(early["warnings"] == [.string(told)], "\(early)")
            #expect(early["error_code"] == "input.proxies")
            let problem = early["attempts"]?[0]?["problems"]?[0]
            #expect(problem?["found"]?.string?.hasSuffix("which has not drawn them all yet") == true, "\(early)")
        }
    }
}
