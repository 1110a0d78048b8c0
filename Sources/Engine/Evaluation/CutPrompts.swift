import Backbones
import Evaluation
import Jobs

extension MetricEncoders {
    /// What is said of prompts that are longer than the texts CLIP reads, which it cuts.
    /// - Parameters:
    ///   - prompts: as it is given them.
    ///   - role: of the concept that they ask for.
    func remarks(on prompts: [String], of role: ConceptRole) -> [String] {
        let most = clip.model.configuration.text.length
        let cut = prompts.map { (text: $0, count: clip.count($0)) }.filter { $0.count > most }
        guard !cut.isEmpty else { return [] }
        let metric: Score.Metric = role == .subject ? .clipT : .textAlignment
        let which = cut.map { "“\($0.text.clipped(to: 40))” (\($0.count) tokens)" }.joined(separator: ", ")
        return [
            """
            \(metric.rawValue) holds pictures against the first \(most) tokens alone, all that \(clip.name) reads, of \
            \(which)
            """
        ]
    }
}
