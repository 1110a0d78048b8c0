import Tensors

/// What a benchmark's products are calculated in; weights and sums stay in single precision.
package enum BenchmarkPrecision: String, CaseIterable, Codable, Sendable {
    case fp32, bf16

    /// What large products of a task are set to.
    var products: MatrixPrecision { self == .bf16 ? .bfloat16 : .single }
}
