import Evaluation
import Foundation
import Images
import Jobs
import Layers
import Personalization

/// The first stages, concept by concept: the supervisor draws its class, learns it, and draws its proxies, which are
/// announced before the next is taught.
struct ProxyStage {
    let worker: ProxyTuningWorker
    let options: ProxyTuningOptions
    let concepts: [Concept]
    let journal: ProxyJournal
    let seed: UInt64

    /// Every concept's proxies, those of other jobs among them.
    func proxies() throws -> [ProxySet] {
        // Whether they can be filtered is known before hours of teaching and drawing.
        if options.dropped > 0, worker.spec.supervisor != nil { _ = try encoders() }
        var supervisor: LoadedModel?
        return try concepts.enumerated().map { index, concept in
            if let given = worker.order.proxies?[concept.name] {
                let isOwn = worker.spec.concepts[index].proxies != nil
                let place = isOwn ? "/concepts/\(index)/proxies" : "/options/proxies"
                let set = try ProxySet(given: given, at: place, concept: concept, size: worker.loaded.pictureSize)
                // Of hundreds of pictures a few prompts.
                try worker.loaded.check(
                    Set(set.pairs.map(\.prompt)).sorted().map { (place, $0) }, concepts: [concept.name],
                    spelled: ConceptSpellings(of: concepts.map(\.name)))
                return set
            }
            let seeds = Supervision.proxySeeds(options.drawn, seed: seed, index)
            if let drawn = journal.drawn(in: .proxies(concept.name), all: seeds.count) {
                return try sent(kept(drawn, seeds, of: concept))
            }
            if supervisor == nil { supervisor = try readingSupervisor() }
            let pictures = try taught(concept, index, supervisor!)
            return try sent(kept(pictures, seeds, of: concept))
        }
    }

    /// Announces a concept's proxies, and behind all of them their sheet, by which others know that none is missing.
    private func sent(_ set: ProxySet) throws -> ProxySet {
        let (folder, connection) = (worker.order.workspace, worker.connection)
        for (index, pair) in set.pairs.enumerated() {
            let path = "\(folder)/proxy-\(set.concept)-\(String(format: "%04d", index + 1)).png"
            try pair.picture.writePNG(path)
            try connection.sendArtifact(
                role: .proxy, path: path, mediaType: "image/png", prompt: pair.prompt, seed: set.seeds[index])
        }
        let path = "\(folder)/\(ProxySource.sheet(of: set.concept))"
        let shown = set.pairs.prefix(ProxyTuningWorker.mostOnSheet).map(\.picture)
        try Grid.rows(of: min(16, shown.count), shown).writePNG(path)
        try connection.sendArtifact(role: .proxies, path: path, mediaType: "image/png")
        return set
    }

    /// The supervisor, which must read whole what it is to draw: it may read less than the student.
    private func readingSupervisor() throws -> LoadedModel {
        let supervisor = try worker.supervisor()
        let problems = concepts.enumerated().flatMap { index, concept -> [Problem] in
            guard worker.order.proxies?[concept.name] == nil else { return [] }
            let texts = [(worker.spec.place(ofClass: index), concept.plainPrompt)] + options.placedPrompts(of: concept)
            return supervisor.tooLong(texts, concepts: [concept.name], spelled: ConceptSpellings(of: [concept.name]))
        }
        guard problems.isEmpty else {
            throw LoadedModel.rejection(
                problems.map {
                    Problem($0.pointer, found: $0.found, allowed: "\($0.allowed) of \(supervisor.description.name)")
                })
        }
        return supervisor
    }

    /// The supervisor learns the concept, draws, and is as it was again.
    private func taught(_ concept: Concept, _ index: Int, _ supervisor: LoadedModel) throws -> [Picture] {
        let learner = supervisor.backbone.pairLearner(of: [concept], seed: Supervision.seed(seed, index))
        let supervision = Supervision(concept, index, learner: learner, options: options, seed: seed)
        let training = try supervision.training(prior: prior(concept, supervision))
        defer { training.detach() }
        let (stage, drawing) = (ProxyJournal.Stage.supervisor(concept.name), ProxyJournal.Stage.proxies(concept.name))
        let isTaught = try journal.restore(training, in: stage, orAfter: drawing)
        if !isTaught { try journal.train(training, .diffusion, stage, title: title("supervisor", concept)) }
        return try supervision.draw(options.drawn, having: journal.partlyDrawn(in: drawing)) {
            try journal.drew(
                $0, in: drawing, steps: options.drawn, title: title("proxies", concept), training: training)
        }
    }

    /// Pictures of the class that the supervisor must still draw; none where it has learnt all it will.
    private func prior(_ concept: Concept, _ supervision: Supervision) throws -> [Picture] {
        let (stage, count) = (ProxyJournal.Stage.prior(concept.name), options.priorPictures)
        guard count > 0, !journal.isStopped(in: .proxies(concept.name)) else { return [] }
        if let drawn = journal.drawn(in: stage, all: count) { return drawn }
        let having = journal.partlyDrawn(in: stage)
        let title = title("prior", concept)
        worker.connection.send(.progress(.init(stage: title, step: having.count, steps: count)))
        return try supervision.drawPrior(having: having) {
            try journal.drew($0, in: stage, steps: count, title: title)
        }
    }

    /// Of several concepts a stage says whose it is.
    private func title(_ stage: String, _ concept: Concept) -> String {
        concepts.count == 1 ? stage : "\(stage) \(concept.name)"
    }

    /// The proxies with those dropped that are least like the references.
    private func kept(_ pictures: [Picture], _ seeds: [UInt64], of concept: Concept) throws -> ProxySet {
        let pairs = pictures.enumerated().map { PicturePair(prompt: options.prompt($0, of: concept), picture: $1) }
        guard options.dropped > 0 else {
            return ProxySet(concept: concept.name, pairs: pairs, seeds: seeds, isGiven: false)
        }
        let filter = ProxyFilter(pictures, keeping: options.proxies, of: concept, by: try encoders())
        return ProxySet(
            concept: concept.name, pairs: filter.kept.map { pairs[$0] }, seeds: filter.kept.map { seeds[$0] },
            isGiven: false, filtered: filter.means)
    }

    /// What the filter looks by.
    /// - Throws: `JobFailure` where they cannot be read.
    private func encoders() throws -> MetricEncoders {
        do {
            return try MetricEncoders(directory: worker.order.models, .init(worker.loaded.description.encoders))
        } catch {
            throw JobFailure(
                code: "input.filter", consequence: .rejected, message: "proxies cannot be filtered: \(error)",
                problems: [Problem("/options/filter", found: "\(options.dropped)", allowed: "0: there is no DINO here")]
            )
        }
    }
}

extension ProxyTuningOptions {
    /// What proxies of a concept are drawn from in places, behind where a job says those.
    func placedPrompts(of concept: Concept) -> [(String, String)] {
        contexts.enumerated().map { ("/options/contexts/\($0)", "\(concept.plainPrompt) \($1)") }
    }
}

extension ProxySet {
    /// Another job's proxies, under the name they have here.
    /// - Parameter place: where the job names that.
    /// - Throws: `JobFailure` naming those that cannot be read or have another size.
    init(given: [EngineOrder.Proxy], at place: String, concept: Concept, size: Int) throws {
        let pairs = try given.map { proxy in
            let picture = try Picture(pngFile: proxy.path)
            guard picture.width == size, picture.height == size else {
                throw JobFailure(
                    code: "input.proxies", consequence: .rejected,
                    message: "the proxies of <\(concept.name)> have \(picture.width)×\(picture.height) pixels",
                    problems: [
                        Problem(
                            place, found: "\(picture.width)×\(picture.height) pixels", allowed: "\(size)×\(size)")
                    ])
            }
            return PicturePair(
                prompt: proxy.prompt.replacing(/<[a-z0-9_-]+>/, with: concept.placeholder), picture: picture)
        }
        self.init(concept: concept.name, pairs: pairs, seeds: [], isGiven: true)
    }
}

/// The last stage: the student learns from all proxies together.
struct StudentStage {
    let loaded: LoadedModel
    let options: ProxyTuningOptions
    let concepts: [Concept]
    let journal: ProxyJournal
    let seed: UInt64

    func learn(_ proxies: [ProxySet]) throws -> (Adapter, LossCurve) {
        let learner = loaded.backbone.pairLearner(of: concepts, seed: seed)
        let training = try PairTraining(
            learner, pairs: StudentStage.pairs(of: proxies), options: options.student, seed: seed)
        defer { training.detach() }
        _ = try journal.restore(training, in: .student)
        let curve = try journal.train(training, loaded.description.family, .student, title: "student")
        let adapter = try Adapter(training, of: concepts, modelDigest: loaded.digest, seed: seed)
        return (adapter, curve)
    }

    /// What the student picks from, every pair alike: sets that are smaller than the largest are repeated up to it, so
    /// that every concept is seen as often.
    static func pairs(of sets: [ProxySet]) -> [PicturePair] {
        let most = sets.map(\.pairs.count).max() ?? 0
        return sets.map(\.pairs).filter { !$0.isEmpty }.flatMap { pairs in
            (0..<most).map { pairs[$0 % pairs.count] }
        }
    }
}
