import Foundation
import Images
import Personalization

/// The losses of a training, averaged over ten steps, as they are plotted and reported. Survives in a file beside a checkpoint.
struct LossCurve: Codable {
    private struct Point: Codable {
        var step: Int
        var subject, distillation: Double
        var count: Int
    }

    private var points: [Point] = []

    init() {}

    /// - Returns: nil when the file is missing or damaged: a curve is worth less than a resumed training.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path), let curve = try? JSONDecoder().decode(LossCurve.self, from: data) else { return nil }
        self = curve
    }

    mutating func add(step: Int, _ losses: ARBoothTraining.StepLosses) {
        if let last = points.last, last.count < 10 {
            let n = Double(last.count)
            points[points.count - 1] = Point(
                step: step, subject: (last.subject * n + Double(losses.subject)) / (n + 1),
                distillation: (last.distillation * n + Double(losses.distillation)) / (n + 1), count: last.count + 1)
        } else {
            points.append(Point(step: step, subject: Double(losses.subject), distillation: Double(losses.distillation), count: 1))
        }
    }

    /// The latest averages by name.
    var latest: [String: Double] {
        guard let last = points.last else { return [:] }
        return ["loss.subject": last.subject, "loss.distillation": last.distillation]
    }

    func plot(title: String) -> Picture {
        Plot(title: title, series: [
            Plot.Series(name: "subject", points: points.map { (Double($0.step), $0.subject) }),
            Plot.Series(name: "distillation", points: points.map { (Double($0.step), $0.distillation) }),
        ]).picture()
    }

    func write(_ path: String) throws { try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: path), options: .atomic) }
}
