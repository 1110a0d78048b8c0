/// Runs tiny releases: the proof that a released model is read as it is downloaded, and computes what its authors'
/// code does.
enum ReleaseConformance {
    /// - Throws: ``ConformanceError`` for a release that is not known, or what its loaders say.
    static func run(_ release: ReleaseCase) throws -> ConformanceReport {
        guard let runner = runners.first(where: { release.has($0.tensor) }) else {
            throw release.problem("its recorded tensors are those of no release that is known")
        }
        try runner.run(release)
        return release.finished()
    }

    /// Who runs a release, by a tensor that only such a release records.
    private static let runners: [(tensor: String, run: @Sendable (ReleaseCase) throws -> Void)] = [
        ("special_token", { try FineTuneConformance($0).run() }),
        ("tf.bits", { try InfinityReleaseConformance($0).run() }),
        ("image.ids", { try ChameleonReleaseConformance($0).run() }),
        ("caption.mask", { try LlamaGenReleaseConformance($0).run() }),
        ("logits_per_image", { try EncoderReleaseConformance(release: $0).clip() }),
        ("cls_native", { try EncoderReleaseConformance(release: $0).dino() }),
        ("per_layer", { try EncoderReleaseConformance(release: $0).lpips() }),
        ("enc.mean", { try PipelineConformance($0).run() }),
        ("base.unet_out", { try AdapterReleaseConformance($0).diffusion() }),
        ("base.transformer_out", { try AdapterReleaseConformance($0).diffusion() }),
        ("base.logits", { try AdapterReleaseConformance($0).chameleon() }),
    ]
}
