import Evaluation
import Foundation
import Hashing
import Images
import Jobs
import Layers
import Personalization

/// How far a Proxy-Tuning job has come: the stage, everything its next step reads, and the pictures so far, which are
/// proxies, and those of a class that its supervisor learns beside. A checkpoint holds the first two; the pictures lie
/// beside it, in one file that its metadata vouches for. Where that file is gone, they are drawn again, the same.
final class ProxyJournal {
    /// A stage of a job.
    enum Stage: Equatable {
        case prior(String)
        case supervisor(String)
        case proxies(String)
        case student

        var text: String {
            switch self {
            case .prior(let concept): "prior:\(concept)"
            case .supervisor(let concept): "supervisor:\(concept)"
            case .proxies(let concept): "proxies:\(concept)"
            case .student: "student"
            }
        }

        /// What the pictures of a stage that draws go by: of proxies their concept's name, else what is none.
        fileprivate var pictures: String { if case .proxies(let concept) = self { concept } else { text } }

        /// The option that says how fast it learns.
        var rate: String { self == .student ? "learning_rate" : "supervisor_learning_rate" }
    }

    private let connection: EngineConnection
    private let progress: ProgressReports
    private let checkpoints: CheckpointWriter
    /// What the checkpoint says that the job goes on from.
    private let resumed: ResumedCheckpoint?
    private let identity: TrainingIdentity
    /// By `Stage.pictures`, in the order drawn.
    private var pictures: [String: [Picture]] = [:]
    /// The checkpoint that all of them lie beside, with their file's digest; nil where some were drawn since.
    private var kept: (path: String, digest: String)?
    /// Steps of stages that are behind, those before a resume among them.
    private var done = 0
    private let resumedCurve: LossCurve?

    /// Goes on from the order's checkpoint, where it has one.
    /// - Throws: `JobFailure` for one that is none, or of another job.
    init(_ order: EngineOrder, identity: TrainingIdentity, connection: EngineConnection) throws {
        (self.identity, self.connection) = (identity, connection)
        progress = ProgressReports(to: connection)
        checkpoints = CheckpointWriter(order, connection: connection)
        resumed = try order.resume.map { try ResumedCheckpoint($0, of: identity) }
        resumedCurve = order.resume.flatMap { LossCurve(path: $0 + ".losses") }
        pictures = resumed.map { ProxyCheckpoint.pictures(beside: $0.path, digest: $0.metadata["proxies"]) } ?? [:]
        // Where no pictures are left, their stages are done again.
        done = pictures.isEmpty ? 0 : resumed?.metadata["done"].flatMap { Int($0) } ?? 0
    }

    /// The stage that the job was stopped in.
    private var stage: String? { resumed?.metadata["stage"] }

    /// All pictures of a stage where all of them, `count`, were drawn before the job was stopped.
    func drawn(in stage: Stage, all count: Int) -> [Picture]? {
        guard let drawn = pictures[stage.pictures], drawn.count == count else { return nil }
        if isStopped(in: stage) { done += count }
        return drawn
    }

    /// Those that were drawn before the job was stopped.
    func partlyDrawn(in stage: Stage) -> [Picture] { pictures[stage.pictures] ?? [] }

    /// Whether the job goes on amid a stage; amid a concept's proxies its supervisor has nothing left to learn.
    func isStopped(in stage: Stage) -> Bool { self.stage == stage.text }

    /// Puts a training into the state of the checkpoint, where that is of this stage or of the one after it, which has
    /// the same weights. Gives whether it is at its end.
    func restore(_ training: PairTraining, in stage: Stage, orAfter next: Stage? = nil) throws -> Bool {
        guard let resumed, let stopped = self.stage, [stage.text, next?.text].contains(stopped) else { return false }
        try resumed.restore { try training.restore($0) }
        let isAtEnd = training.step >= training.steps
        if isAtEnd, stopped == stage.text { done += training.steps }
        return isAtEnd
    }

    /// Trains to the end, with checkpoints on the way.
    /// - Parameter family: of what learns.
    /// - Throws: `AskedToStop` behind a checkpoint; `JobFailure` where it diverged.
    @discardableResult
    func train(
        _ training: PairTraining, _ family: ModelFamily, _ stage: Stage, title: String
    ) throws -> LossCurve {
        var curve = self.stage == stage.text ? resumedCurve ?? LossCurve() : LossCurve()
        curve.prefix = "loss." + title.replacing(" ", with: ".")
        let loop = TrainingLoop(
            learner: title, rate: stage.rate, isOfNoise: family == .diffusion, progress: progress,
            connection: connection)
        try loop.run(training, &curve) { curve in
            let isEnd = stage == .student && training.step == training.steps
            try checkpointIfDue(stage, training, curve, isEnd: isEnd)
        }
        done += training.steps
        return curve
    }

    /// Notes the pictures that a stage has now.
    /// - Parameter training: what is learnt so far; nil before anything is.
    /// - Throws: `AskedToStop` behind a checkpoint.
    func drew(
        _ drawn: [Picture], in stage: Stage, steps: Int, title: String, training: PairTraining? = nil
    ) throws {
        StopRequest.hold()
        pictures[stage.pictures] = drawn
        // A supervisor that draws proxies needs no more of its class.
        if case .proxies(let concept) = stage { pictures[Stage.prior(concept).pictures] = nil }
        kept = nil
        progress.send(title, step: drawn.count, of: steps)
        try checkpointIfDue(stage, training, nil, isEnd: false, drawn: drawn.count)
        if drawn.count == steps { done += steps }
    }

    private func checkpointIfDue(
        _ stage: Stage, _ training: PairTraining?, _ curve: LossCurve?, isEnd: Bool, drawn: Int = 0
    ) throws {
        let step = done + (drawn > 0 ? drawn : training?.step ?? 0)
        try checkpoints.writeIfDue(step: step, isEnd: isEnd) { path in
            let digest = try keepPictures(beside: path)
            try curve?.write(path + ".losses")
            let state = training?.state ?? OptimizerState(step: 0, tensors: [:])
            let own = ["stage": stage.text, "proxies": digest, "done": "\(done)"]
            try state.write(path, metadata: identity.metadata.merging(own) { $1 })
        }
    }

    /// Has all pictures lie beside a checkpoint, and gives their file's digest. They are hundreds, and stay the same
    /// while the student learns: they are not packed once more then.
    private func keepPictures(beside path: String) throws -> String {
        let digest =
            if let kept, ProxyCheckpoint.share(kept.path, with: path) {
                kept.digest
            } else {
                try ProxyCheckpoint.write(pictures, beside: path)
            }
        kept = (path, digest)
        return digest
    }
}
