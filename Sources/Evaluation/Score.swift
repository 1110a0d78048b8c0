/// A metric's value, and who measured it: two encoders' figures are never the same metric.
package struct Score: Equatable, Sendable {
    /// The metrics under their published names.
    package enum Metric: String, CaseIterable, Sendable {
        case dino = "DINO"
        /// DINO to the references of other subjects that a model knows too: what is not kept apart.
        case otherDINO = "DINO to others"
        case clipI = "CLIP-I"
        case clipT = "CLIP-T"
        case pres = "PRES"
        case div = "DIV"
        /// Pairwise DINO distance in DIV's place, where LPIPS has no weights: not the published metric, so not its
        /// name.
        case divDINO = "DIV-DINO"
        case subjectAlignment = "subject alignment"
        case styleAlignment = "style alignment"
        case textAlignment = "text alignment"
    }

    /// Under its published name.
    package let metric: Metric
    /// Who measured it.
    package let encoder: String
    /// The mean over all comparisons.
    package let value: Double
    /// Comparisons averaged over.
    package let comparisons: Int

    init(_ metric: Metric, by encoder: String, value: Double, comparisons: Int) {
        (self.metric, self.encoder, self.value, self.comparisons) = (metric, encoder, value, comparisons)
    }

    /// As it stands in tables and messages: `CLIP-I (pocket-clip)`.
    package var name: String { "\(metric.rawValue) (\(encoder))" }

    /// As programs call it: `clip_i.pocket-clip`.
    package var key: String { Score.key(metric) + "." + encoder.lowercased() }

    /// The metric's part of a key: `clip_i`.
    package static func key(_ metric: Metric) -> String {
        metric.rawValue.lowercased().replacing("-", with: "_").replacing(" ", with: "_")
    }
}
