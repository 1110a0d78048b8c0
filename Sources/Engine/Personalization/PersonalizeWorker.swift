import Backbones
import Checkpoints
import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import Layers
import Personalization

/// Learns a concept by any method: an adapter, sample pictures, the loss curve, metrics.
struct PersonalizeWorker {
    let spec: PersonalizeSpec
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection

    func run() throws -> JSONValue {
        let (read, remarks) = try ConceptReader(
            spec: spec.concept, images: order.files, loaded: loaded,
            shapes: loaded.description.referenceShapes(of: spec.method)
        ).concept()
        let earlier = try earlierAdapter(of: read)
        let concept = named(read, earlier)
        let samples = SamplePrompts(spec.prompts, concept: concept, method: spec.method)
        try loaded.check(
            ownPrompt(of: concept) + [("/concept/class", samples.longest)]
                + samples.asked.enumerated().map { ("/prompts/\($0)", $1) },
            concepts: [concept.name], spelled: ConceptSpellings(of: concept))
        try checkRoom(beside: concept)
        try ResumedCheckpoint.check(order.resume, of: identity)
        connection.send(.progress(.init(stage: "prepare", step: 0, steps: 1)))
        let (evaluation, warnings) = evaluation(of: concept)
        let (adapter, curve) = try loaded.whileLearning {
            try learnt(concept, from: earlier, previewing: samples.all[0])
        }
        return try PersonalizationOutput(
            order: order, loaded: loaded, connection: connection, concepts: [concept], prompts: samples.all,
            seed: seed, evaluations: evaluation.map { [concept.name: $0] } ?? [:], warnings: remarks + warnings
        ).finish(adapter, curve)
    }

    /// Learns to the end. The training is gone afterwards, its gradients and moments with it.
    /// - Throws: `AskedToStop` behind a checkpoint; `JobFailure` where it diverged.
    private func learnt(
        _ concept: Concept, from earlier: Adapter?, previewing prompt: String
    ) throws -> (Adapter, LossCurve) {
        let training = try loaded.training(of: concept, by: spec.method, options: .object(spec.options), seed: seed)
        if let earlier { try training.begin(with: earlier) }
        let previews = spec.previewEvery.map { every in
            TrainingPreviews(
                every: every, prompt: prompt, concept: concept, seed: seed, loaded: loaded, order: order,
                connection: connection)
        }
        let curve = try train(training, previews)
        let adapter = try training.adapter(modelDigest: loaded.digest)
        training.detach()
        return (adapter, curve)
    }

    /// What is learnt with, where the job says so itself.
    private func ownPrompt(of concept: Concept) -> [(pointer: String, text: String)] {
        guard let prompt = spec.options["prompt"]?.string else { return [] }
        var options = CoAROptions()
        options.prompt = prompt
        return [("/options/prompt", options.prompt(of: concept))]
    }

    /// A reference in more rows than the usual picture has leaves less room for what is learnt with.
    private func checkRoom(beside concept: Concept) throws {
        var texts = ownPrompt(of: concept)
        if texts.isEmpty { texts = [("/concept/class", concept.photoPrompt(concept.placeholder))] }
        texts.append(("/concept/class", concept.classPhotoPrompt))
        for shape in concept.shapes ?? [] {
            let problems = loaded.drawing(in: shape).tooLong(
                texts, concepts: [concept.name], spelled: ConceptSpellings(of: concept))
            guard problems.isEmpty else {
                throw LoadedModel.rejection(
                    problems.map {
                        Problem($0.pointer, found: $0.found, allowed: "\($0.allowed) beside a reference of \(shape)")
                    })
            }
        }
    }

    /// Encoders that cannot be read do not keep a concept from being learnt, but not silently.
    private func evaluation(of concept: Concept) -> (evaluation: QuickEvaluation?, warnings: [String]) {
        do {
            let evaluation = try QuickEvaluation(concept, on: loaded, models: order.models, seed: seed) {
                connection.send(.progress(.init(stage: "prepare", step: $0, steps: $1)))
            }
            return (evaluation, [])
        } catch {
            return (nil, ["not evaluated: \(error)"])
        }
    }

    private var identity: TrainingIdentity { TrainingIdentity(spec, digest: loaded.digest) }

    private var seed: UInt64 { UInt64(spec.seed ?? 0) }

    /// The concept with the model's own word that it is to go by, where that is known already.
    private func named(_ concept: Concept, _ earlier: Adapter?) -> Concept {
        guard spec.method == .lora else { return concept }
        var concept = concept
        concept.word = word(earlier)
        return concept
    }

    /// The model's own word that the concept has from the checkpoint or adapter that the training goes on from; nil of
    /// a new one. Neither says it where a former version wrote it.
    private func word(_ earlier: Adapter?) -> String? {
        // In former versions styles had the word of subjects.
        let former = loaded.backbone.identifier(of: .subject)
        if let resume = order.resume, let file = try? Safetensors(path: resume) {
            return file.metadata[Self.wordKey] ?? former
        }
        return earlier.map { $0.known[0].word ?? former }
    }

    /// What a checkpoint of `lora` calls the concept's word.
    private static let wordKey = "lora.word"

    /// What the concept's earlier version learnt, where the job goes on from it.
    /// - Throws: `JobFailure` for one that its training cannot go on from; `AdapterError` for one that cannot be read.
    private func earlierAdapter(of concept: Concept) throws -> Adapter? {
        guard let key = spec.continueFrom else { return nil }
        guard let path = order.adapters[key] else {
            throw unusable("no adapter of \(key)", "one that is given", code: "concept.unknown")
        }
        let adapter = try Adapter(path: path)
        guard adapter.description.method == spec.method, adapter.description.modelDigest == loaded.digest
        else {
            throw unusable(
                "learnt by \(adapter.description.method.rawValue) on \(adapter.description.model)",
                "one that was learnt by \(spec.method.rawValue) on this very \(loaded.description.name)")
        }
        guard adapter.description.role == concept.role else {
            throw unusable("\(key), a \(adapter.description.role.rawValue)", "a \(concept.role.rawValue)")
        }
        let usual = loaded.description.usualOptions(of: spec.method)
        let options = spec.table.completed(.object(spec.options), usual: usual)
        let tokens = options["acts_on"]?.string ?? ActingTokens.all.rawValue
        guard adapter.actsOnWords == (tokens == ActingTokens.prompt.rawValue) else {
            let own = adapter.actsOnWords ? ActingTokens.prompt : .all
            throw unusable("acts_on \(tokens)", "acts_on \(own.rawValue), as \(key) was learnt")
        }
        let learnt = try loaded.learntShapes(of: concept, by: spec.method, options: .object(spec.options))
        do { try adapter.verifyHolding(exactly: learnt) } catch {
            throw unusable(
                "an adapter that holds other weights",
                "the options of \(key)'s training: rank, layers, tuning, learns_placeholder")
        }
        return adapter
    }

    private func unusable(_ found: String, _ allowed: String, code: String = "input.continue_from") -> JobFailure {
        JobFailure(
            code: code, consequence: .rejected,
            message: "the training cannot go on from \(spec.continueFrom ?? "")",
            problems: [Problem("/continue_from", found: found, allowed: allowed)])
    }

    /// Goes on from the order's checkpoint, if there is one, with checkpoints and previews on the way.
    private func train(_ training: any ConceptTraining, _ previews: TrainingPreviews?) throws -> LossCurve {
        var curve = LossCurve()
        if let resume = order.resume {
            try ResumedCheckpoint(resume, of: identity).restore { try training.restore($0) }
            curve = LossCurve(path: resume + ".losses") ?? curve
        }
        let loop = TrainingLoop(
            isOfNoise: loaded.description.family == .diffusion, progress: ProgressReports(to: connection),
            connection: connection)
        let checkpoints = CheckpointWriter(order, connection: connection)
        try loop.run(training, &curve) { curve in
            try draw(previews, of: training)
            try checkpoints.writeIfDue(step: training.step, isEnd: training.step == training.steps) { path in
                try write(training, curve, to: path)
            }
        }
        return curve
    }

    /// - Throws: `JobFailure` where nothing can be drawn with what is learnt so far: its training has diverged.
    private func draw(_ previews: TrainingPreviews?, of training: any ConceptTraining) throws {
        do { try previews?.draw(training) } catch let error as AdapterError {
            throw error.ofTraining
        }
    }

    private func write(_ training: any ConceptTraining, _ curve: LossCurve, to path: String) throws {
        try curve.write(path + ".losses")
        var metadata = identity.metadata
        metadata[Self.wordKey] = (training as? LoRATraining)?.word
        try training.state.write(path, metadata: metadata)
    }
}
