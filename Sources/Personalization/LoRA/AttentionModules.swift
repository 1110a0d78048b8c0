import Backbones

extension InfinityModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["sa.mat_qkv", "sa.proj", "ca.mat_q", "ca.mat_kv", "ca.proj"] }
    /// Of the same, those that read the words.
    package var textModules: [String] { ["ca.mat_kv"] }
}

extension LatentDiffusion {
    /// Ends of the names of the attention projections that read the words: those of their own stream, or, where they
    /// have none, of what the picture reads of them.
    package var textModules: [String] {
        let stream = ["add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"]
        let hasStream = attentionModules.contains { $0.hasSuffix(stream[0]) }
        return hasStream ? stream : ["attn2.to_k", "attn2.to_v"]
    }
}

extension ChameleonModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj"] }
}

extension LlamaGenModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["attention.wqkv", "attention.wo"] }
}
