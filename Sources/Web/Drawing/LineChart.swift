import Foundation

/// Curves over steps as SVG, in the colours the style sheet gives them. Numbers become coordinates; texts are escaped.
struct LineChart {
    /// One curve.
    struct Curve {
        let name: String
        let points: [(x: Double, y: Double)]
    }

    let title: String
    let curves: [Curve]

    private static let (width, height) = (640.0, 220.0)
    private static let (left, right, top, bottom) = (60.0, 12.0, 12.0, 26.0)

    /// The drawing; nil where there is nothing to draw.
    var svg: String? {
        let points = curves.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let first = points.first, points.count > 1 else { return nil }
        var (low, high) = (first.y, first.y)
        var (begin, end) = (first.x, first.x)
        for point in points {
            (low, high) = (min(low, point.y), max(high, point.y))
            (begin, end) = (min(begin, point.x), max(end, point.x))
        }
        if high == low { (low, high) = (low - 0.5, high + 0.5) }
        if end == begin { end += 1 }
        let ticks = Self.ticks(low, high)
        (low, high) = (min(low, ticks.first ?? low), max(high, ticks.last ?? high))
        func x(_ value: Double) -> Double {
            Self.left + (value - begin) / (end - begin) * (Self.width - Self.left - Self.right)
        }
        func y(_ value: Double) -> Double {
            Self.height - Self.bottom - (value - low) / (high - low) * (Self.height - Self.top - Self.bottom)
        }
        var parts = [
            """
            <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
            aria-label="\(Self.escaped(label))">
            """
        ]
        for tick in ticks {
            let place = Self.number(y(tick))
            parts.append(
                """
                <line class="grid" x1="\(Int(Self.left))" x2="\(Int(Self.width - Self.right))" y1="\(place)" \
                y2="\(place)"/><text class="tick" x="\(Int(Self.left) - 6)" y="\(place)" dy="4" \
                text-anchor="end">\(Self.words(tick, ticks))</text>
                """)
        }
        for (place, anchor, value) in [(Self.left, "start", begin), (Self.width - Self.right, "end", end)] {
            parts.append(
                """
                <text class="tick" x="\(Int(place))" y="\(Int(Self.height) - 6)" \
                text-anchor="\(anchor)">step \(Figures.plain(value))</text>
                """)
        }
        for (index, curve) in curves.enumerated() {
            let line = curve.points.filter { $0.x.isFinite && $0.y.isFinite }
                .map { Self.number(x($0.x)) + "," + Self.number(y($0.y)) }.joined(separator: " ")
            parts.append(
                """
                <polyline class="curve curve-\(index % 6)" points="\(line)"><title>\(Self.escaped(curve.name))\
                </title></polyline>
                """)
        }
        return parts.joined() + "</svg>"
    }

    /// What the curves do, for who does not see them.
    private var label: String {
        let each = curves.compactMap { curve -> String? in
            let points = curve.points.filter { $0.x.isFinite && $0.y.isFinite }
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
