import Evaluation
import Images
import Personalization

/// Which of a concept's proxies stay once those are dropped that are least like its references (*ours*).
package struct ProxyFilter {
    /// The numbers of those that stay, in the order drawn.
    package let kept: [Int]
    /// Mean DINO to the references of all that were drawn, and of those that stay.
    let means: (drawn: Double, kept: Double)

    /// - Parameters:
    ///   - pictures: one or more.
    ///   - count: how many stay.
    package init(_ pictures: [Picture], keeping count: Int, of concept: Concept, by encoders: MetricEncoders) {
        let metrics = ConceptMetrics(references: concept.references, by: encoders)
        let scores = pictures.map { metrics.pres([$0])[0].value }
        kept = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(count).sorted()
        means = (ProxyFilter.mean(scores), ProxyFilter.mean(kept.map { scores[$0] }))
    }

    private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}
