import DaemonTesting
import Foundation
import Jobs
import Store
import Testing

@testable import Daemon

/// Which concepts a job may use, and what is told to who names others.
@Suite(.serialized, .timeLimit(.minutes(15))) struct ConceptTests {
    private static let settings = ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]

    private static func job(_ kind: String, _ members: [String: JSONValue], prompt: String) -> Data {
        let common: [String: JSONValue] = [
            "version": .integer(1), "kind": .string(kind), "model": .string("pocket-chameleon"),
            "prompts": .array([.string("steps=2 " + prompt)]),
        ]
        return JSONValue.object(common.merging(members) { $1 }).line
    }

    private static func composition(_ subject: String, _ style: String) -> Data {
        job("compose", ["subject": .string(subject), "style": .string(style)], prompt: "in the snow")
    }

    private func learn(_ stage: Stage) async throws {
        let trainings = [
            ("rex", "subject", "coar", "pocket-chameleon"), ("ben", "subject", "lora", "pocket-chameleon"),
            ("woodcut", "style", "coar", "pocket-chameleon"),
            ("max", "subject", "arbooth", "pocket-infinity"), ("rex", "subject", "arbooth", "pocket-infinity"),
        ]
        for (number, training) in trainings.enumerated() {
            let body = Script.personalization(
                training.0, role: training.1, method: training.2, model: training.3, seed: number)
            try await stage.publish(body: body, id: "training \(number)", kind: "personalize")
            _ = try await stage.job("training \(number)", reaches: .completed)
        }
    }

    @Test func aJobFindsItsTenantsConceptsOfItsModelAndRole() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await learn(stage)
            // rex was learnt again, on another model: each job means the one of its own.
            for (id, body) in [
                ("composed", Self.composition("rex", "woodcut")),
                ("two", Self.job("generate", [:], prompt: "<rex> and <ben> in <woodcut> style")),
                ("other model", Self.job("generate", ["model": .string("pocket-infinity")], prompt: "<rex>")),
            ] {
                try await stage.publish(body: body, id: id, kind: nil)
                _ = try await stage.job(id, reaches: .completed)
            }
        }
    }

    /// A job, and each problem of it: where, what was found, what would do.
    static let strangers: [(body: Data, problems: [String])] = [
        (composition("rox", "woodcut"), ["/subject: found rox; allowed: ben, rex"]),
        (composition("rex", "linocut"), ["/style: found linocut; allowed: woodcut"]),
        (composition("max", "woodcut"), ["/subject: found max, a subject on pocket-infinity; allowed: ben, rex"]),
        (
            composition("woodcut", "rex"),
            [
                "/subject: found woodcut, a style on pocket-chameleon; allowed: ben, rex",
                "/style: found rex, a subject on pocket-chameleon and a subject on pocket-infinity; allowed: woodcut",
            ]
        ),
        (
            job("generate", [:], prompt: "<max> and <rex> and <moritz>"),
            [
                "/prompts/0: found <max>, a subject on pocket-infinity; allowed: <ben>, <rex>, <woodcut>",
                "/prompts/0: found <moritz>; allowed: <ben>, <rex>, <woodcut>",
            ]
        ),
    ]

    @Test func whoNamesOthersIsToldTheNamesThatWouldDo() async throws {
        try await Stage.with(settings: Self.settings) { stage in
            try stage.start()
            try await learn(stage)
            for (number, stranger) in Self.strangers.enumerated() {
                try await stage.publish(body: stranger.body, id: "\(number)", kind: nil)
                let job = try await stage.job("\(number)", reaches: .discarded)
                #expect(job["error_code"]?.string == "concept.unknown" && job["attempts"]?.array?.count == 1)
                let problems = job["attempts"]?[0]?["problems"]?.array ?? []
                let found = problems.map {
                    """
                    \($0["pointer"]?.string ?? ""): found \($0["found"]?.string ?? ""); allowed: \
                    \($0["allowed"]?.string ?? "")
                    """
                }
                #expect(found == stranger.problems)
            }
        }
    }
}

/// What is told of mentions that mean nothing does not grow with how many there are, nor with how many would do.
@Suite struct LearntConceptsTests {
    /// Has learnt so many.
    private struct Learnt: ConceptSource {
        let count: Int

        func newestConcepts(tenant: String) -> [StoredConcept] {
            (0..<count).map { StoredConcept(name: "c\($0)", role: .subject, version: 1, model: "m", adapter: "") }
        }

        func concepts(_ versions: [(name: String, version: Int)], tenant: String) -> [StoredConcept] { [] }

        func adapters(
            of mentions: [ConceptMention], model: String, tenant: String
        ) -> [String: InspectionOrder.Adapter] { [:] }

        func drawing(_ job: UUID, tenant: String) -> DrawingJob? { nil }
    }

    @Test func ofManyNamesTheFirstAreToldAndHowManyMore() async throws {
        let prompt = (0..<120).map { "<x\($0)>" }.joined(separator: " ")
        let spec = try JobSpec(["version": 1, "kind": "generate", "model": "m", "prompts": [.string(prompt)]])
        var concepts = LearntConcepts(source: Learnt(count: 60))
        let problems = try await concepts.found(for: spec, tenant: "t").problems
        #expect(problems.count == 120 && problems.map(\.found) == (0..<120).map { "<x\($0)>" })
        let allowed = (0..<50).map { "<c\($0)>" }.joined(separator: ", ") + " and 10 more"
        #expect(problems.allSatisfy { $0.allowed == allowed })
        let missing = try await concepts.missing(of: spec, tenant: "t")
        #expect(missing.count == 50)
        #expect(missing.allSatisfy { $0.contains("an estimate counts nothing of it; now: <c0>") })
        let given = Set((0..<119).map { "x\($0)" })
        #expect(try await concepts.missing(of: spec, tenant: "t", beside: given).count == 1)
    }
}
