import Layers
import Tensors

/// How far each computed tensor is from the recorded one.
package struct ConformanceReport {
    /// One recorded tensor.
    package struct Line {
        /// As it was recorded, with how it was compared where that is not relative to its largest entry.
        package let name: String
        /// In the comparison's own unit; infinite where the shapes differ.
        package let error: Double
        /// The largest error that passes.
        package let tolerance: Double
        /// Whether it passes.
        package var isWithin: Bool { error <= tolerance }
    }

    /// In the order of comparison.
    package private(set) var lines: [Line] = []
    /// Whether all pass; a report that compared nothing does not.
    package var isWithin: Bool { !lines.isEmpty && lines.allSatisfy(\.isWithin) }

    mutating func note(_ name: String, error: Double, tolerance: Double) {
        lines.append(Line(name: name, error: error, tolerance: tolerance))
    }

    /// Every recorded tensor that nothing was held against, nor computed from, is a failure.
    mutating func noteUnread(_ names: [String]) {
        for name in names { note("\(name) (not compared)", error: .infinity, tolerance: 0) }
    }

    /// Largest |computed − recorded| over the largest |recorded| (or `floor`, for near-zero tensors).
    mutating func compare(_ name: String, _ computed: Tensor, _ recorded: Tensor, tolerance: Double, floor: Double = 0)
    {
        let unit = max(Double(recorded.maximumMagnitude), floor, 1e-30)
        note(name, computed, recorded, unit: unit, tolerance: tolerance)
    }

    /// Largest |computed − recorded|, in the tensor's own unit.
    mutating func compareAbsolutely(_ name: String, _ computed: Tensor, _ recorded: Tensor, tolerance: Double) {
        note("\(name) (absolute)", computed, recorded, unit: 1, tolerance: tolerance)
    }

    /// The largest |computed − recorded| in a unit; infinite where the shapes differ, or a difference is no number.
    private mutating func note(
        _ name: String, _ computed: Tensor, _ recorded: Tensor, unit: Double, tolerance: Double
    ) {
        guard computed.count == recorded.count else {
            return note("\(name) (\(computed.shape) against \(recorded.shape))", error: .infinity, tolerance: tolerance)
        }
        var worst = 0.0
        for i in 0..<computed.count {
            let difference = abs(Double(computed.pointer[i]) - Double(recorded.pointer[i]))
            worst = difference.isNaN ? .infinity : max(worst, difference)
        }
        note(name, error: worst / unit, tolerance: tolerance)
    }

    /// ‖computed − recorded‖ / ‖recorded‖.
    mutating func compareNorm(_ name: String, _ computed: Tensor, _ recorded: Tensor, tolerance: Double) {
        let difference = computed.copy()
        difference.accumulate(recorded, scale: -1)
        note(
            "\(name) (L2)", error: (difference.sumOfSquares / recorded.sumOfSquares).squareRoot(), tolerance: tolerance)
    }

    /// The share of entries that differ; nothing may.
    mutating func compareExactly<Element: Equatable>(_ name: String, _ computed: [Element], _ recorded: [Element]) {
        let differing =
            computed.count == recorded.count
            ? zip(computed, recorded).count { $0 != $1 } : max(computed.count, recorded.count)
        note("\(name) (exact)", error: Double(differing) / Double(max(recorded.count, 1)), tolerance: 0)
    }

    /// The largest difference between whole numbers, in steps.
    mutating func compareSteps(_ name: String, _ computed: [UInt8], _ recorded: [UInt8], tolerance: Int) {
        let worst =
            computed.count == recorded.count ? zip(computed, recorded).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 256
        note("\(name) (steps)", error: Double(worst), tolerance: Double(tolerance))
    }

    /// Gradients recorded as `<prefix><weight>` against those that have arrived, which are then forgotten: relative to
    /// each one's largest entry, or to 1e-5 of the largest of all (divided by the tolerance) for near-zero ones.
    mutating func compareGradients(
        _ prefix: String, of fixture: ConformanceCase, tolerance: Double, parameter: (String) -> Parameter?
    ) throws {
        let names = fixture.recorded.names.filter { $0.hasPrefix(prefix) }
        let largest = try names.map { Double(try fixture.tensor($0).maximumMagnitude) }.max() ?? 0
        for name in names {
            guard let parameter = parameter(String(name.dropFirst(prefix.count))) else {
                note("\(name) (no such weight)", error: .infinity, tolerance: tolerance)
                continue
            }
            let computed = parameter.gradient ?? Tensor(zeros: parameter.shape)
            compare(name, computed, try fixture.tensor(name), tolerance: tolerance, floor: largest * 1e-5 / tolerance)
            parameter.clearGradient()
        }
    }
}
