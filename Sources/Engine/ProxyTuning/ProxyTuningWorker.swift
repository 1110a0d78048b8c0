import Catalogue
import Foundation
import Jobs
import Layers
import Personalization
import Randomness

/// Proxy-Tuning, stage by stage: for each concept the supervisor learns it and draws the proxies, then the student
/// learns from all of them.
struct ProxyTuningWorker {
    let spec: PersonalizeSpec
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection

    private var seed: UInt64 { UInt64(spec.seed ?? 0) }

    func run() throws -> JSONValue {
        let options = try spec.proxyTuning(
            of: loaded.description, by: spec.supervisor.flatMap { try ModelFolder.written("\(order.models)/\($0)") })
        let read = try spec.concepts.map {
            try ConceptReader(spec: $0, images: order.files, loaded: loaded).concept()
        }
        let concepts = read.map(\.concept)
        let samples = ProxySamples(spec.prompts, concepts: concepts)
        try check(concepts, samples, options)
        try checkSupervisor()
        let identity = TrainingIdentity(spec, digest: loaded.digest)
        try ResumedCheckpoint.check(order.resume, of: identity)
        connection.send(.progress(.init(stage: "prepare", step: 0, steps: 1)))
        let (evaluations, remarks) = self.evaluations(of: concepts)
        let warnings = read.flatMap(\.warnings) + remarks
        let journal = try ProxyJournal(order, identity: identity, connection: connection)
        let (adapter, curve, figures) = try loaded.whileLearning {
            let proxies = try ProxyStage(
                worker: self, options: options, concepts: concepts, journal: journal, seed: seed
            ).proxies()
            let stage = StudentStage(loaded: loaded, options: options, concepts: concepts, journal: journal, seed: seed)
            let (adapter, curve) = try stage.learn(proxies)
            return (adapter, curve, ProxyFigures(sets: proxies))
        }
        let result = try PersonalizationOutput(
            order: order, loaded: loaded, connection: connection, concepts: concepts, prompts: samples.all,
            seed: seed, evaluations: evaluations, warnings: warnings
        ).finish(adapter, curve)
        return figures.joined(to: result)
    }

    /// What teaches, loaded only where something is to be drawn.
    /// - Throws: `JobFailure` where it is no diffusion model, or draws pictures of another size.
    func supervisor() throws -> LoadedModel {
        let name = spec.supervisor ?? ""
        // One that draws several sizes draws the student's.
        let own = ModelDescription.Size(width: loaded.pictureSize, height: loaded.pictureSize)
        let draws = try ModelFolder.written("\(order.models)/\(name)")?.draws(own) ?? false
        let supervisor = try LoadedModel(name, in: order.models, size: draws ? own : nil)
        guard supervisor.description.family == .diffusion, supervisor.pictureSize == loaded.pictureSize else {
            throw JobFailure(
                code: "input.supervisor", consequence: .rejected,
                message: "\(name) cannot teach \(loaded.description.name)",
                problems: [
                    Problem(
                        "/options/supervisor",
                        found:
                            "\(name), a \(supervisor.description.family.rawValue) of \(supervisor.pictureSize) pixels",
                        allowed: "a diffusion model of \(loaded.pictureSize) pixels")
                ])
        }
        return supervisor
    }

    private static let unreachable = JobFailure(
        code: "input.proxies", consequence: .rejected,
        message: """
            without servers there is no job whose proxies could be used; give those of an earlier run with --proxies \
            NAME=DIR, or leave out proxies, and they are drawn
            """)

    private func check(_ concepts: [Concept], _ samples: ProxySamples, _ options: ProxyTuningOptions) throws {
        let reusing = spec.concepts.filter { spec.proxies(of: $0) != nil }
        guard reusing.allSatisfy({ order.proxies?[$0.name] != nil }) else { throw Self.unreachable }
        let contexts = concepts.flatMap { options.placedPrompts(of: $0) }
        let classes = concepts.enumerated().map { index, concept in
            (spec.place(ofClass: index), "a photo of \(concept.plainPrompt) on the beach")
        }
        let together = samples.asked.isEmpty ? samples.pairs.map { ("/concepts", $0) } : []
        let asked = samples.asked.enumerated().map { ("/prompts/\($0)", $1) }
        let names = concepts.map(\.name)
        try loaded.check(
            classes + contexts + together + asked, concepts: names, spelled: ConceptSpellings(of: names))
    }

    /// Whether the supervisor reads whole what it is to draw, by its tokenizer: its weights are read when it teaches.
    private func checkSupervisor() throws {
        guard let supervisor = spec.supervisor.flatMap({ ModelTexts(directory: order.models)[$0] }) else { return }
        let problems = PromptInspection().problems(of: spec, taughtBy: supervisor)
        if !problems.isEmpty { throw LoadedModel.rejection(problems) }
    }

    /// Encoders that cannot be read do not keep concepts from being learnt, but not silently.
    private func evaluations(of concepts: [Concept]) -> ([String: QuickEvaluation], [String]) {
        var found: [String: QuickEvaluation] = [:]
        let (shown, unseen) = (concepts.filter { !$0.references.isEmpty }, concepts.filter(\.references.isEmpty))
        var warnings = unseen.map { "<\($0.name)> is not evaluated: the job has no pictures of it" }
        for (index, concept) in shown.enumerated() {
            do {
                found[concept.name] = try QuickEvaluation(concept, on: loaded, models: order.models, seed: seed) {
                    let step = index * $1 + $0
                    connection.send(.progress(.init(stage: "prepare", step: step, steps: shown.count * $1)))
                }
            } catch { warnings.append("<\(concept.name)> is not evaluated: \(error)") }
        }
        return (found, warnings)
    }

    /// Proxies of a concept that its sheet shows.
    static let mostOnSheet = 128
}

extension PersonalizeSpec {
    /// Where a job says a concept's class noun.
    func place(ofClass index: Int) -> String {
        concept.isListed ? "/concepts/\(index)/class" : "/concept/class"
    }
}

/// A concept's proxies.
struct ProxySet {
    let concept: String
    var pairs: [PicturePair]
    /// Of every picture's noise; empty where they were given.
    var seeds: [UInt64]
    /// Whether another job drew them.
    let isGiven: Bool
    /// Mean DINO to the references of all that were drawn and of those that were kept, where some were dropped.
    var filtered: (drawn: Double, kept: Double)?
}

/// What a result says of the proxies.
struct ProxyFigures {
    let sets: [ProxySet]

    /// The result with the proxies' numbers among it.
    func joined(to result: JSONValue) -> JSONValue {
        guard case .object(var members) = result else { return result }
        members["proxies"] = .object(
            Dictionary(
                uniqueKeysWithValues: sets.map { set in
                    var row: [String: JSONValue] = [
                        "pictures": .integer(set.pairs.count), "reused": .bool(set.isGiven),
                    ]
                    if let filtered = set.filtered {
                        row["dino_drawn"] = .number(filtered.drawn)
                        row["dino_kept"] = .number(filtered.kept)
                    }
                    return (set.concept, .object(row))
                }))
        return .object(members)
    }
}

/// The prompts of the sample pictures: those asked for, or each concept in some places, and two of them together.
struct ProxySamples {
    let asked: [String]
    /// Two concepts together, where there are several.
    let pairs: [String]
    private let own: [String]

    init(_ asked: [String], concepts: [Concept]) {
        self.asked = asked
        let places = ProxySamples.places(of: concepts.count)
        let each = concepts.flatMap { concept in
            places.map { $0.isEmpty ? "a photo of \(concept.plainPrompt)" : "a photo of \(concept.plainPrompt) \($0)" }
        }
        pairs = zip(concepts, concepts.dropFirst()).map { "a photo of \($0.plainPrompt) and \($1.plainPrompt)" }
        own = each + pairs
    }

    var all: [String] { asked.isEmpty ? own : asked }

    /// Where each of so many concepts is shown by itself.
    private static func places(of concepts: Int) -> [String] {
        concepts == 1 ? ["", "on the beach", "in the snow", "in the jungle"] : ["", "on the beach"]
    }

    /// How many prompts there are of their own accord for so many concepts.
    static func count(of concepts: Int) -> Int { concepts * places(of: concepts).count + concepts - 1 }
}
