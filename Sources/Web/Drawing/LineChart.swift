import Foundation

/// Curves over steps as SVG, in the colours the style sheet gives them. Numbers become coordinates; texts are escaped.
struct LineChart {
    /// One curve.
    struct Curve {
        let name: String
        let points: [(x: Double, y: Double)]

        /// What of it can be drawn.
        fileprivate var finite: [(x: Double, y: Double)] { points.filter { $0.x.isFinite && $0.y.isFinite } }
    }

    let title: String
    let curves: [Curve]

    private static let (width, height) = (640.0, 220.0)
    private static let (left, right, top, bottom) = (60.0, 12.0, 12.0, 26.0)

    /// Where in the drawing steps and values are.
    private struct Plane {
        let begin, end, low, high: Double
        /// Round numbers, which the values lie between.
        let ticks: [Double]

        /// Nil for fewer than two points.
        init?(_ points: [(x: Double, y: Double)]) {
            guard let first = points.first, points.count > 1 else { return nil }
            var (low, high) = (first.y, first.y)
            var (begin, end) = (first.x, first.x)
            for point in points {
                (low, high) = (min(low, point.y), max(high, point.y))
                (begin, end) = (min(begin, point.x), max(end, point.x))
            }
            if high == low { (low, high) = (low - 0.5, high + 0.5) }
            if end == begin { end += 1 }
            let ticks = LineChart.ticks(low, high)
            (self.begin, self.end, self.ticks) = (begin, end, ticks)
            (self.low, self.high) = (min(low, ticks.first ?? low), max(high, ticks.last ?? high))
        }

        func x(_ value: Double) -> Double {
            LineChart.left + (value - begin) / (end - begin) * (LineChart.width - LineChart.left - LineChart.right)
        }

        func y(_ value: Double) -> Double {
            let span = LineChart.height - LineChart.top - LineChart.bottom
            return LineChart.height - LineChart.bottom - (value - low) / (high - low) * span
        }
    }

    /// The drawing; nil where there is nothing to draw.
    var svg: String? {
        guard let plane = Plane(curves.flatMap(\.finite)) else { return nil }
        let heading = """
            <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
            aria-label="\(Self.escaped(label))">
            """
        return heading + grid(plane) + steps(plane) + lines(plane) + "</svg>"
    }

    /// A line across for each tick, with its number.
    private func grid(_ plane: Plane) -> String {
        plane.ticks.map { tick in
            let place = Self.number(plane.y(tick))
            return """
                <line class="grid" x1="\(Int(Self.left))" x2="\(Int(Self.width - Self.right))" y1="\(place)" \
                y2="\(place)"/><text class="tick" x="\(Int(Self.left) - 6)" y="\(place)" dy="4" \
                text-anchor="end">\(Self.words(tick, plane.ticks))</text>
                """
        }.joined()
    }

    /// The first step and the last.
    private func steps(_ plane: Plane) -> String {
        let ends = [(Self.left, "start", plane.begin), (Self.width - Self.right, "end", plane.end)]
        return ends.map { place, anchor, value in
            """
            <text class="tick" x="\(Int(place))" y="\(Int(Self.height) - 6)" \
            text-anchor="\(anchor)">step \(Figures.plain(value))</text>
            """
        }.joined()
    }

    private func lines(_ plane: Plane) -> String {
        curves.enumerated().map { index, curve in
            let points = curve.finite.map { Self.number(plane.x($0.x)) + "," + Self.number(plane.y($0.y)) }
            return """
                <polyline class="curve curve-\(index % 6)" points="\(points.joined(separator: " "))">\
                <title>\(Self.escaped(curve.name))</title></polyline>
                """
        }.joined()
    }

    /// What the curves do, for who does not see them.
    private var label: String {
        let each = curves.compactMap { curve -> String? in
            let points = curve.finite
            guard let first = points.first, let last = points.last else { return nil }
            return "\(curve.name) from \(Figures.plain(first.y)) to \(Figures.plain(last.y))"
        }
        return "\(title): \(each.joined(separator: ", "))"
    }

    /// Three to six round numbers around and between two.
    private static func ticks(_ low: Double, _ high: Double) -> [Double] {
        let raw = (high - low) / 4
        let magnitude = pow(10, (log10(raw)).rounded(.down))
        let step = [1, 2, 2.5, 5, 10].map { $0 * magnitude }.first { $0 >= raw } ?? raw
        let first = (low / step).rounded(.down)
        return (0...6).map { (first + Double($0)) * step }.prefix { $0 < high + step }.map { $0 }
    }

    /// A tick with the digits that tell it from the next.
    private static func words(_ tick: Double, _ ticks: [Double]) -> String {
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
        let digits = (0...6).first { digits in
            let scaled = step * pow(10, Double(digits))
            return abs(scaled - scaled.rounded()) < 1e-6 * scaled
        }
        return String(format: "%.\(digits ?? 6)f", tick)
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }
}
