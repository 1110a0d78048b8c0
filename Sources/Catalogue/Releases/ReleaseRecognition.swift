import Jobs

extension ReleaseScan {
    /// What the files are together.
    /// - Throws: ``UnrecognizedRelease`` with everything that is missing, unknown or cannot be read.
    package func recognized(
        _ wishes: ReleaseWishes = ReleaseWishes()
    ) throws(UnrecognizedRelease) -> RecognizedRelease {
        do throws(UnrecognizedRelease) {
            let misshapen = pieces.flatMap(\.misshapen)
            guard misshapen.isEmpty else { throw UnrecognizedRelease(problems: misshapen) }
            if let release = try known(wishes) {
                // Of what is rearranged its own layout has looked at this.
                let unreadable = release.parts.filter { $0.rearranged == nil }.compactMap(\.piece.checkpoint.unreadable)
                guard unreadable.isEmpty else { throw UnrecognizedRelease(problems: unreadable) }
                return release
            }
        } catch { throw UnrecognizedRelease(problems: error.problems + problems) }
        throw UnrecognizedRelease(problems: problems + orphans)
    }

    private func known(_ wishes: ReleaseWishes) throws(UnrecognizedRelease) -> RecognizedRelease? {
        func fits(_ family: ModelFamily) -> Bool { wishes.family == nil || wishes.family == family }
        if fits(.infinity), let transformer = pieces(.infinityTransformer).first {
            return try InfinityRelease(transformer, self, wishes).recognized()
        }
        if fits(.chameleon),
            let transformer = ChameleonTransformerFiles(hub: self) ?? ChameleonTransformerFiles(meta: self)
        {
            return try ChameleonRelease(transformer, self, wishes).recognized()
        }
        if fits(.llamagen), let release = LlamaGenRelease(self, wishes) { return try release.recognized() }
        if fits(.diffusion), let release = PipelineRelease(self, wishes) { return try release.recognized() }
        return try EncoderReleases(self, wishes).recognized()
    }

    /// What is said where nothing is there that the parts could belong to.
    private var orphans: [String] {
        let parts = pieces.map { "\($0.path) is \($0.kind.rawValue), and what it belongs to is not here" }
        let unknown = strangers.map { "\($0): its tensors' names are those of no release that is known" }
        return parts + unknown
            + (parts.isEmpty && unknown.isEmpty && problems.isEmpty ? ["there are no weights here"] : [])
    }
}
