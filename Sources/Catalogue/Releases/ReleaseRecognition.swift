import Checkpoints
import Foundation
import Jobs

extension ReleaseScan {
    /// What the files are together.
    /// - Throws: ``UnrecognizedRelease`` with everything that is missing, unknown or cannot be read.
    package func recognized(
        _ wishes: ReleaseWishes = ReleaseWishes()
    ) throws(UnrecognizedRelease) -> RecognizedRelease {
        do throws(UnrecognizedRelease) {
            let wrong = missing + special + pieces.flatMap(\.misshapen)
            guard wrong.isEmpty else { throw UnrecognizedRelease(problems: wrong) }
            if var release = try known(wishes) {
                let unfit = wishes.problems(of: release)
                guard unfit.isEmpty else { throw UnrecognizedRelease(problems: unfit) }
                // Of what is rearranged its own layout has looked at this.
                let unreadable = release.parts.filter { $0.rearranged == nil }.compactMap(\.piece.checkpoint.unreadable)
                guard unreadable.isEmpty else { throw UnrecognizedRelease(problems: unreadable) }
                release.warnings += unused
                return release
            }
        } catch { throw UnrecognizedRelease(problems: error.problems + problems) }
        throw UnrecognizedRelease(problems: problems + orphans)
    }

    private func known(_ wishes: ReleaseWishes) throws(UnrecognizedRelease) -> RecognizedRelease? {
        func fits(_ family: ModelFamily) -> Bool { wishes.family == nil || wishes.family == family }
        let infinity = pieces(.infinityTransformer).first
        let chameleon = ChameleonTransformerFiles(hub: self) ?? ChameleonTransformerFiles(meta: self)
        let (llamagen, pipeline) = (LlamaGenRelease(self, wishes), PipelineRelease(self, wishes))
        let there: [ModelFamily] = [
            infinity.map { _ in .infinity }, chameleon.map { _ in .chameleon }, llamagen.map { _ in .llamagen },
            pipeline.map { _ in .diffusion },
        ].compactMap { $0 }
        guard wishes.family != nil || there.count < 2 else {
            let families = there.map(\.rawValue).joined(separator: ", ")
            throw UnrecognizedRelease(
                problems: ["the files are of several models (\(families)); --family says which is meant"])
        }
        if fits(.infinity), let infinity {
            try refuseSeveral(of: .infinityTransformer)
            return try InfinityRelease(infinity, self, wishes).recognized()
        }
        if fits(.chameleon), let chameleon {
            try refuseSeveral(of: .chameleonTransformer)
            return try ChameleonRelease(chameleon, self, wishes).recognized()
        }
        if fits(.llamagen), let llamagen {
            try refuseSeveral(of: .llamaGenTransformer)
            return try llamagen.recognized()
        }
        if fits(.diffusion), let pipeline {
            for source in pipeline.sources { try refuseSeveral(source) }
            return try pipeline.recognized()
        }
        if let missing = missingBesideUnread(wishes) { throw UnrecognizedRelease(problems: missing) }
        try refuseSeveral(of: .clip, .dino)
        return try EncoderReleases(self, wishes).recognized()
    }

    private func refuseSeveral(of kinds: ReleasePiece.Kind...) throws(UnrecognizedRelease) {
        try refuseSeveral(kinds.flatMap { pieces($0).map(\.path) })
    }

    /// Refuses what would each be a model of its own, for which is meant cannot be known. What lies within a
    /// checkpoint's own folder is an earlier state of its training; of `FOLDER/*` one checkpoint may be in two forms.
    private func refuseSeveral(_ paths: [String]) throws(UnrecognizedRelease) {
        var places: Set<String> = []
        let rivals = paths.filter { path in
            let place = URL(fileURLWithPath: Checkpoint.place(of: path)).resolvingSymlinksInPath().path
            return !paths.contains { path.hasPrefix($0 + "/") } && places.insert(place).inserted
        }
        guard rivals.count > 1 else { return }
        let some = rivals.prefix(8).joined(separator: ", ") + (rivals.count > 8 ? " …" : "")
        throw UnrecognizedRelease(
            problems: ["\(rivals.count) models are here, and one is added at a time; name what is of one: \(some)"])
    }

    /// What was given and went into no model: a network that should have taken the place of the model's, a damaged
    /// file, an adapter.
    private var unused: [String] {
        strangers.map { "\($0): is not used: its tensors' names are those of no part that is known" }
            + problems.map { "\($0); the model is made without it" }
    }

    /// What is said where nothing is there that the parts could belong to.
    private var orphans: [String] {
        let unnamed = unnamedPipelines.map {
            "\($0): has a pipeline's folders and no \(PipelineRelease.index), which says of what they are: fetch it"
        }
        func isUnnamed(_ path: String) -> Bool { unnamedPipelines.contains { path.hasPrefix($0 + "/") } }
        let parts = pieces.filter { !isUnnamed($0.path) }.map {
            "\($0.path) is \($0.kind.rawValue), and what it belongs to is not here"
        }
        let unknown = strangers.filter { !isUnnamed($0) }.map {
            "\($0): its tensors' names are those of no release that is known"
        }
        let said = unnamed + parts + unknown
        guard said.isEmpty, problems.isEmpty else { return said }
        let others = folders.flatMap(Checkpoint.unread)
        return others.isEmpty ? ["there are no weights here"] : others
    }
}

extension ReleaseWishes {
    /// What was wished of a release that it cannot have.
    fileprivate func problems(of release: RecognizedRelease) -> [String] {
        func foreign(_ option: String, _ owner: String) -> String { "\(option) is \(owner); this is \(release.title)" }
        guard release.family != .infinity else {
            return side == nil
                ? [] : [foreign("--side", "for models of square pictures, --pixels and --ratio are Infinity's")]
        }
        return [
            pixels == nil ? nil : foreign("--pixels", "Infinity's"),
            ratio == 1 ? nil : foreign("--ratio", "Infinity's"), sideProblem(release),
        ].compactMap { $0 }
    }

    private func sideProblem(_ release: RecognizedRelease) -> String? {
        guard let side else { return nil }
        let settings = release.configuration
        switch release.family {
        case .chameleon where side % 32 != 0 || side <= 0: return "--side \(side): allowed are multiples of 32"
        case .diffusion:
            guard let multiple = settings["sides"]?["multiple"]?.integer,
                let most = settings["sides"]?["most"]?.integer,
                side % multiple != 0 || side <= 0 || side > most
            else { return nil }
            return "--side \(side): allowed are multiples of \(multiple)" + (side > most ? " to \(most)" : "")
        case .llamagen:
            guard let nearest = settings["pictureSize"]?.integer, nearest != side else { return nil }
            return "--side \(side): its pictures are whole codes wide, \(nearest) pixels or the next multiple"
        default: return nil
        }
    }
}
