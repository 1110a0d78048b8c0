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
            let wrong = missing + special + pieces.flatMap(\.misshapen) + wishes.outOfRange
            guard wrong.isEmpty else { throw UnrecognizedRelease(problems: wrong) }
            if var release = try known(wishes) {
                let unfit = wishes.problems(of: release)
                guard unfit.isEmpty else { throw UnrecognizedRelease(problems: unfit) }
                // Of what is rearranged its own layout has looked at this.
                let unreadable = release.parts.filter { $0.rearranged == nil }.compactMap(\.piece.checkpoint.unreadable)
                guard unreadable.isEmpty else { throw UnrecognizedRelease(problems: unreadable) }
                release.warnings += unused(in: release)
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
        let encoders: [(ModelFamily, ReleasePiece.Kind)] = [(.clip, .clip), (.dino, .dino), (.lpips, .lpipsHeads)]
        // LPIPS's heads of several trunks lie in one folder.
        try refuseSeveral(encoders.prefix(2).filter { fits($0.0) }.flatMap { pieces($0.1).map(\.path) })
        if let release = try EncoderReleases(self, wishes).recognized() { return release }
        try refuseOthers(there + encoders.filter { !pieces($0.1).isEmpty }.map(\.0), wishes)
        return nil
    }

    /// Refuses files of other families than the one that is wished.
    private func refuseOthers(_ others: [ModelFamily], _ wishes: ReleaseWishes) throws(UnrecognizedRelease) {
        guard let family = wishes.family, !others.isEmpty else { return }
        var free = wishes
        free.family = nil
        let found = (try? known(free))?.title ?? others.map(\.rawValue).joined(separator: ", ")
        throw UnrecognizedRelease(problems: ["the files are \(found), not \(family.rawValue)"])
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

    /// What was given and went into no model: a network that should have taken the place of the model's, a second part
    /// of a kind, a damaged file, an adapter.
    private func unused(in release: RecognizedRelease) -> [String] {
        func place(_ path: String) -> String {
            URL(fileURLWithPath: Checkpoint.place(of: path)).resolvingSymlinksInPath().path
        }
        let used = release.parts.map(\.piece)
        // Meta's shards are one part, and it is called after the first.
        let isMetas = used.contains { $0.kind == .metaChameleon }
        let others = pieces.filter { piece in
            !(isMetas && piece.kind == .metaChameleon)
                && !used.contains { piece.path.hasPrefix($0.path + "/") || place(piece.path) == place($0.path) }
        }
        let strange = strangers.map { path in "\(path): is not used: " + stranger(path, to: "part") }
        let unread = problems.map { "\($0); the model is made without it" }
        return others.map { "\($0.path): is \($0.kind.rawValue), and is not used" } + strange + unread
    }

    /// What is known of a file whose names are those of no `whole`.
    private func stranger(_ path: String, to whole: String) -> String {
        let checkpoint = try? Checkpoint.open(path)
        let marks = [".lora_A.", ".lora_B.", ".lora_down.", ".lora_up.", "lora.down.", "lora.up."]
        if checkpoint?.names.contains(where: { name in marks.contains { name.contains($0) } }) == true {
            return "it is a low-rank adapter: atelierctl concepts import"
        }
        let others = checkpoint?.report.otherSections ?? []
        return "its tensors' names are those of no \(whole) that is known"
            + (others.isEmpty ? "" : "; there are others in its \(others.prefix(16).joined(separator: ", "))")
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
        let unknown = strangers.filter { !isUnnamed($0) }.map { path in "\(path): " + stranger(path, to: "release") }
        let said = unnamed + parts + unknown
        guard said.isEmpty, problems.isEmpty else { return said }
        let others = folders.flatMap(Checkpoint.unread)
        return others.isEmpty ? ["there are no weights here"] : others
    }
}

extension ReleaseWishes {
    /// What no release can have; known before sizes are reckoned with it.
    fileprivate var outOfRange: [String] {
        var problems: [String] = []
        if !(ratio >= 0.333 && ratio <= 3) {
            problems.append("--ratio \(ratio): allowed is 0.333 (wide) to 3 (high)")
        }
        if let side, side < 1 || side > 4096 { problems.append("--side \(side): allowed is 1 to 4096") }
        return problems
    }

    /// What was wished of a release that it cannot have.
    fileprivate func problems(of release: RecognizedRelease) -> [String] {
        func foreign(_ option: String, _ owner: String) -> String { "\(option) is \(owner); this is \(release.title)" }
        guard release.family != .infinity else {
            let square = "for models of square pictures, --pixels and --ratio are Infinity's"
            return [side == nil ? nil : foreign("--side", square), headsProblem(release)].compactMap { $0 }
        }
        return [
            pixels == nil ? nil : foreign("--pixels", "Infinity's"),
            ratio == 1 ? nil : foreign("--ratio", "Infinity's"),
            side == nil || release.family.draws ? nil : foreign("--side", "for models that draw"),
            sideProblem(release), headsProblem(release),
        ].compactMap { $0 }
    }

    private func headsProblem(_ release: RecognizedRelease) -> String? {
        guard let heads else { return nil }
        let settings = release.configuration
        let told: Int? =
            switch release.family {
            case .infinity, .chameleon: settings["transformer"]?["heads"]?.integer
            case .llamagen: settings["transformer"]?["n_head"]?.integer
            case .dino: settings["num_attention_heads"]?.integer
            case .diffusion, .clip, .classifier, .lpips: nil
            }
        guard let told else { return "--heads is for Infinity, LlamaGen and DINO; this is \(release.title)" }
        return told == heads ? nil : "--heads is not needed: the files say \(told)"
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
