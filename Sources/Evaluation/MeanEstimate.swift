/// The mean of independent repetitions, with its 95 % confidence interval by Student's t.
package struct MeanEstimate: Equatable, Sendable, Codable {
    /// Of all repetitions.
    package let mean: Double
    /// The standard deviation of the repetitions; nil of one.
    package let deviation: Double?
    /// Half the interval's width; nil of one repetition, which says nothing about the next.
    package let halfWidth: Double?
    /// How many repetitions.
    package let count: Int

    /// - Precondition: there is at least one value.
    package init(_ values: [Double]) {
        precondition(!values.isEmpty, "the mean of nothing")
        count = values.count
        let n = Double(count)
        let mean = values.reduce(0, +) / n
        self.mean = mean
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(n - 1, 1)
        deviation = count > 1 ? variance.squareRoot() : nil
        halfWidth = count > 1 ? MeanEstimate.quantile(degrees: count - 1) * (variance / n).squareRoot() : nil
    }

    /// t₀.₉₇₅ of so many degrees of freedom: tabulated to 30, beyond by Cornish and Fisher's expansion, right to four
    /// digits there.
    static func quantile(degrees: Int) -> Double {
        let table = [
            12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
            2.120, 2.110, 2.101, 2.093, 2.086,
            2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
        ]
        if degrees <= table.count { return table[degrees - 1] }
        let z = 1.959964
        let n = Double(degrees)
        let z3 = z * z * z
        return z + (z3 + z) / (4 * n) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * n * n)
    }
}
