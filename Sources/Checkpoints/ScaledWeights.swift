/// Weights in eight or four bits whose scales stand beside them: without those the numbers mean nothing.
enum ScaledWeights {
    /// How the tensors beside them end: ComfyUI's and vLLM's fp8, bitsandbytes in eight and four bits, GPTQ and AWQ, or
    /// they themselves: quanto.
    private static let marks = [
        ".scale_weight", ".weight_scale", ".weight_scale_inv", "scaled_fp8", ".SCB", ".weight_format", ".absmax",
        ".quant_map", ".qweight", ".qzeros", ".weight._data",
    ]

    /// The first of such tensors; nil where none is.
    static func mark(among names: some Sequence<String>) -> String? {
        names.filter { name in marks.contains { name.hasSuffix($0) } }.min()
    }
}

extension Checkpoint {
    /// What its numbers cannot be read for: weights in eight or four bits with scales beside them; nil where they can.
    package var unreadable: String? { Self.unreadable(ScaledWeights.mark(among: names), path: path) }

    static func unreadable(_ mark: String?, path: String) -> String? {
        mark.map {
            "\(path): \($0): weights with scales beside them are not built; fetch the file of bf16 or fp16 weights"
        }
    }
}
