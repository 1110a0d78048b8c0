import Catalogue
import Checkpoints
import Engine
import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import Layers
import Personalization

/// Proxy-Tuning as tables take it apart. What a supervisor learnt of a subject from a seed, and its proxies, lie in the
/// run's folder: every row that has the same supervisor reads the same ones, as many as it needs.
struct TaughtRun {
    let concept: Concept
    /// The job's own options.
    let options: JSONValue?
    let seed: UInt64
    /// The folder of all models.
    let models: String
    /// Where adapters and proxies lie.
    let folder: String
    /// What the filter of proxies looks by.
    let encoders: MetricEncoders

    /// What the supervisor itself learnt.
    func supervisor() throws -> TrainingRun {
        try teaching { try $0.taught() }
    }

    /// What a student learnt from the proxies.
    /// - Parameter student: the folder among the models.
    func student(_ student: String) throws -> TrainingRun { try TaughtRun.student(student, of: [self]) }

    /// What a student learnt from the references, turned, mirrored and cropped, in place of proxies: table 7's
    /// augmentation.
    func student(ofReferencesBy student: String) throws -> TrainingRun {
        let loaded = try LoadedModel(directory: "\(models)/\(student)")
        let pairs = GeometricAugmentation(seed: seed).pictures(of: concept.references, count: try read().proxies)
            .map { PicturePair(prompt: concept.plainPrompt, picture: $0) }
        return try TaughtRun.learn(pairs, of: [concept], loaded, options(of: loaded), seed: seed, folder: folder)
    }

    /// What one student learnt of subjects from the proxies of each, as often of every one as if it were alone. The
    /// run's folder keeps it, for rows of several subjects ask for it again.
    /// - Parameter runs: of the same options; the student's seed is the first one's.
    static func student(_ student: String, of runs: [TaughtRun]) throws -> TrainingRun {
        let first = runs[0]
        let directory = "\(first.models)/\(student)"
        let loaded = try LoadedModel(directory: directory)
        let pairs = try runs.flatMap { run in try run.teaching { try $0.pairs() } }
        let seen = pairs.map { "\($0.prompt) \(SHA256Digest.of($0.picture.pixels))" }.joined(separator: "\n")
        let parts = try ModelParts.digest(directory: directory)
        let all = "\(parts) \(try first.options(of: loaded)) \(first.seed)\n\(seen)"
        let path = "\(first.folder)/students/\(SHA256Digest.of(Data(all.utf8)).description.prefix(16)).safetensors"
        if let kept = try? Adapter(path: path),
            let text = try? String(contentsOfFile: path + ".seconds", encoding: .utf8)
        {
            return try TrainingRun(kept, seconds: Double(text) ?? 0, folder: first.folder)
        }
        var options = try first.options(of: loaded)
        options.iterations *= runs.count
        let run = try learn(pairs, of: runs.map(\.concept), loaded, options, seed: first.seed, folder: first.folder)
        try FileManager.default.createDirectory(
            atPath: "\(first.folder)/students", withIntermediateDirectories: true)
        try run.adapter.write(path)
        try "\(run.seconds)".write(toFile: path + ".seconds", atomically: true, encoding: .utf8)
        return run
    }

    private func options(of student: LoadedModel) throws -> PairTraining.Options {
        try read(for: student.description).student
    }

    /// What is learnt with: as both models usually learn, as in a job, where the options say nothing.
    private func read(for student: ModelDescription? = nil) throws -> ProxyTuningOptions {
        let usual = PersonalizeSpec.usualTeaching(
            of: student, by: try ModelFolder.written(teacher), rule: options?["supervisor_optimizer"])
        return ProxyTuningOptions(try OptionValues(options, of: .proxyTuning, usual: usual))
    }

    /// The supervisor's folder.
    private var teacher: String {
        get throws { "\(models)/\(try OptionValues(options, of: .proxyTuning)["supervisor"]?.string ?? "")" }
    }

    private static func learn(
        _ pairs: [PicturePair], of concepts: [Concept], _ loaded: LoadedModel, _ options: PairTraining.Options,
        seed: UInt64, folder: String
    ) throws -> TrainingRun {
        let start = Date()
        return try loaded.whileLearning {
            let learner = loaded.backbone.pairLearner(of: concepts, seed: seed)
            let training = try PairTraining(learner, pairs: pairs, options: options, seed: seed)
            defer { training.detach() }
            try TrainingRun.advance(training)
            let adapter = try Adapter(training, of: concepts, modelDigest: loaded.digest, seed: seed)
            return try TrainingRun(adapter, seconds: Date().timeIntervalSince(start), folder: folder)
        }
    }

    private func teaching<Result>(_ body: (Teaching) throws -> Result) throws -> Result {
        let directory = try teacher
        let supervisor = try LoadedModel(directory: directory)
        let parts = try ModelParts.digest(directory: directory)
        return try supervisor.whileLearning {
            try body(
                Teaching(
                    concept: concept, options: read(), seed: seed, supervisor: supervisor, parts: parts, folder: folder,
                    encoders: encoders))
        }
    }
}

/// A supervisor that learns a subject and draws it, unless a run did before.
private struct Teaching {
    let concept: Concept
    let options: ProxyTuningOptions
    let seed: UInt64
    let supervisor: LoadedModel
    /// A digest of all its files: `supervisor.digest` is of the transformer alone, which does not decode what it draws.
    let parts: String
    let folder: String
    let encoders: MetricEncoders

    /// Everything the supervisor's part depends on.
    private var directory: String {
        var taught = options
        (taught.student, taught.proxies, taught.dropped) = (ProxyTuningOptions().student, 0, 0)
        let references = concept.references.map { SHA256Digest.of($0.pixels).description }
        let all = "\(parts) \(taught) \(concept.className) \(references) \(seed)"
        return "\(folder)/proxies/\(SHA256Digest.of(Data(all.utf8)).description.prefix(16))"
    }

    /// What the supervisor learnt.
    func taught() throws -> TrainingRun {
        let (_, training, seconds) = try learnt()
        defer { training.detach() }
        return try TrainingRun(
            Adapter(training, of: [concept], modelDigest: supervisor.digest, seed: seed), seconds: seconds,
            folder: folder)
    }

    /// The proxies with their prompts, without those that the filter drops.
    func pairs() throws -> [PicturePair] {
        let there = (0..<options.drawn).prefix { FileManager.default.fileExists(atPath: path($0)) }
        var pictures = try there.map { try Picture(pngFile: path($0)) }
        if pictures.count < options.drawn { pictures = try drawn(having: pictures) }
        let pairs = pictures.enumerated().map { PicturePair(prompt: options.prompt($0, of: concept), picture: $1) }
        guard options.dropped > 0 else { return pairs }
        return ProxyFilter(pictures, keeping: options.proxies, of: concept, by: encoders).kept.map { pairs[$0] }
    }

    private func path(_ proxy: Int) -> String { "\(directory)/\(proxy).png" }

    private func drawn(having pictures: [Picture]) throws -> [Picture] {
        let (supervision, training, _) = try learnt()
        defer { training.detach() }
        return try supervision.draw(options.drawn, having: pictures) { all in
            let first = (all.count - 1) / PairLearner.batch * PairLearner.batch
            for index in first..<all.count { try all[index].writePNG(path(index)) }
        }
    }

    /// The training at its end, on the supervisor, and the seconds it took when it was run.
    private func learnt() throws -> (Supervision, PairTraining, seconds: Double) {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = "\(directory)/supervisor.safetensors"
        let isDone = FileManager.default.fileExists(atPath: path)
        let learner = supervisor.backbone.pairLearner(of: [concept], seed: Supervision.seed(seed, 0))
        let supervision = Supervision(concept, 0, learner: learner, options: options, seed: seed)
        let start = Date()
        let training = try supervision.training(prior: isDone ? [] : supervision.drawPrior())
        if isDone {
            let state = try OptimizerState(path: path)
            try training.restore(state)
            return (supervision, training, try Double(Safetensors(path: path).metadata["seconds"] ?? "") ?? 0)
        }
        try TrainingRun.advance(training)
        let seconds = Date().timeIntervalSince(start)
        try training.state.write(path, metadata: ["seconds": "\(seconds)"])
        return (supervision, training, seconds)
    }
}
