import Backbones
import Layers
import Tensors

/// The perceptual distance, on a trunk that the case gives by a rule.
struct LPIPSConformance {
    private let fixture: ConformanceCase
    private let distance: LPIPS
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let trunk = try LPIPSConformance.trunk(of: fixture)
        let heads = try fixture.weights()
        let weights = Weights(.checkpoint(heads.merging(trunk) { first, _ in first }))
        distance = LPIPS(weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        for pair in ["a", "b"] {
            let (first, second) = (try pictures("\(pair)0_u8"), try pictures("\(pair)1_u8"))
            let layers = distance.distances(first, second)
            let sums = distance.distance(first, second)
            report.compare("\(pair).per_layer", layers, try fixture.tensor("\(pair).per_layer"), tolerance: tolerance)
            report.compare("\(pair).distance", sums, try fixture.tensor("\(pair).distance"), tolerance: tolerance)
            // Given as bytes there is only one way in, so the flag for pictures in [0, 1] changes nothing.
            report.compare(
                "\(pair).distance_normalize_flag", sums, try fixture.tensor("\(pair).distance_normalize_flag"),
                tolerance: tolerance)
        }
        let last = distance.features(try pictures("a0_u8")).last!
        report.compare("a.relu5_image0", last, try fixture.tensor("a.relu5_image0"), tolerance: tolerance)
        try symmetry(&report)
        return report
    }

    /// What the definition guarantees: no distance to oneself, and none that depends on the order.
    private func symmetry(_ report: inout ConformanceReport) throws {
        let (first, second) = (try pictures("a0_u8"), try pictures("a1_u8"))
        report.note(
            "a.distance to itself", error: Double(distance.distance(first, first).maximumMagnitude), tolerance: 1e-6)
        report.compare(
            "a.distance, exchanged", distance.distance(second, first), distance.distance(first, second), tolerance: 1e-6
        )
        let whole = distance.distance(first, second)
        for sample in 0..<first.shape[0] {
            let alone = distance.distance(first.slice(sample..<sample + 1), second.slice(sample..<sample + 1))
            report.compare(
                "a.distance, sample \(sample) alone", alone, whole.slice(sample..<sample + 1), tolerance: 1e-5)
        }
    }

    /// Bytes [B, 3, H, W] to [−1, 1].
    private func pictures(_ name: String) throws -> Tensor {
        let x = try fixture.tensor(name)
        for i in 0..<x.count { x.pointer[i] = x.pointer[i] / 127.5 - 1 }
        return x
    }

    /// Weights from splitmix64, as the case's `trunk_weights.rule` says.
    private static func trunk(of fixture: ConformanceCase) throws -> [String: Tensor] {
        guard let section = fixture.description["trunk_weights"] as? [String: Any],
            let list = section["tensors"] as? [[String: Any]]
        else {
            throw ConformanceError(folder: fixture.folder, problem: "trunk_weights.tensors is missing")
        }
        return try Dictionary(
            uniqueKeysWithValues: list.map { entry in
                guard let name = entry["lpips_key"] as? String, let shape = entry["shape"] as? [Int],
                    let exponent = entry["k"] as? Int,
                    let state = (entry["splitmix64_state"] as? String).flatMap(UInt64.init)
                else {
                    throw ConformanceError(
                        folder: fixture.folder,
                        problem: "an entry of trunk_weights.tensors lacks lpips_key, shape, k or splitmix64_state")
                }
                let tensor = Tensor(uninitialized: shape)
                for i in 0..<tensor.count { tensor.pointer[i] = element(i, state: state, exponent: exponent) }
                return (name, tensor)
            })
    }

    private static func element(_ index: Int, state: UInt64, exponent: Int) -> Float {
        var z = state &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return (Float(z >> 40) - 0x1p23) * Float(sign: .plus, exponent: exponent - 23, significand: 1)
    }
}
