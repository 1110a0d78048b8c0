import Foundation
import Images
import Personalization

/// The losses of a training, averaged over ten steps, as they are plotted and reported. Survives in a file beside a
/// checkpoint.
struct LossCurve: Codable {
    private struct Point: Codable {
        var step: Int
        var losses: [Double]
        var count: Int
    }

    private var names: [String] = []
    /// What a metric's name begins with, where a job has several curves.
    var prefix: String?
    private var points: [Point] = []
    /// What was minimized, at the first step.
    private var first: Double?
    /// The largest of the first ten steps; nil where a former version took them.
    private var early: Double?
    /// The same over the last steps, each counting a tenth.
    private var recent: Double?

    init() {}

    /// - Returns: nil when the file is missing or damaged: a curve is worth less than a resumed training.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path),
            let curve = try? JSONDecoder().decode(LossCurve.self, from: data)
        else { return nil }
        self = curve
    }

    mutating func add(step: Int, _ losses: some TrainingLosses) {
        names = losses.parts.map(\.key)
        let total = Double(losses.total)
        first = first ?? total
        if points.first?.count ?? 0 < 10 { early = max(early ?? total, total) }
        recent = recent.map { 0.9 * $0 + 0.1 * total } ?? total
        let values = losses.parts.map { Double($0.value) }
        if let last = points.last, last.count < 10 {
            let n = Double(last.count)
            points[points.count - 1] = Point(
                step: step, losses: zip(last.losses, values).map { ($0 * n + $1) / (n + 1) }, count: last.count + 1)
        } else {
            points.append(Point(step: step, losses: values, count: 1))
        }
    }

    /// The latest averages by name; a loss that never was anything is none of this training's.
    var latest: [String: Double] {
        guard let last = points.last else { return [:] }
        return Dictionary(uniqueKeysWithValues: inEffect.map { ("\(prefix ?? "loss").\(names[$0])", last.losses[$0]) })
    }

    /// How far a loss may end above its beginning (*ours*): a training that ends worse than it began has learnt
    /// nothing.
    private static let largestRise = 3.0

    /// What the loss rose from and to, where the training diverged though every loss was a number.
    /// - Parameter isOfNoise: whether every step is drawn at a share of noise of its own, as a diffusion model's: their
    ///   losses differ by a hundred times with nothing learnt, so that one of them says nothing of where it began, and
    ///   nothing is said of a training that a former version began.
    func divergence(isOfNoise: Bool) -> (from: Double, to: Double)? {
        guard let from = isOfNoise ? early : first, let recent,
            recent > LossCurve.largestRise * max(from, 1e-3)
        else { return nil }
        return (from, recent)
    }

    private var inEffect: [Int] { names.indices.filter { index in points.contains { $0.losses[index] != 0 } } }

    func plot(title: String) -> Picture {
        Plot(
            title: title,
            series: inEffect.map { index in
                Plot.Series(name: names[index], points: points.map { (Double($0.step), $0.losses[index]) })
            }
        ).picture()
    }

    func write(_ path: String) throws {
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
