import Backbones

/// LlamaGen's files: a transformer, its VQ tokenizer, and flan-t5.
struct LlamaGenStandIn {
    let transformer: LlamaGenTransformer.Configuration
    let tokenizer: LlamaGenTokenizer.Configuration
    let text: T5Encoder.Configuration

    /// `t2i_XL_stage1_256.pt` with `vq_ds16_t2i.pt`.
    static let xl = LlamaGenStandIn(transformer: .xl, tokenizer: .vq16, text: .flanXL)

    func write(to folder: StandInFolder) throws {
        try folder.weights("t2i_XL_stage1_256.pt", .single, in: .torchArchive(section: "model")) {
            LlamaGenTransformer(transformer, $0)
        }
        try folder.weights("vq_ds16_t2i.pt", .single, in: .torchArchive(section: "model")) {
            LlamaGenTokenizer(tokenizer, $0)
        }
        try folder.t5("flan-t5-xl", text)
    }
}
