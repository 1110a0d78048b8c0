import Backbones

extension InfinityModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["sa.mat_qkv", "sa.proj", "ca.mat_q", "ca.mat_kv", "ca.proj"] }
}

extension ChameleonModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj"] }
}

extension LlamaGenModel {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    package var attentionModules: [String] { ["attention.wqkv", "attention.wo"] }
}
