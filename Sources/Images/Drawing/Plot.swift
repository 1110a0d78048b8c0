import Glibc

/// Curves over steps, as a picture: for looking at how a training went.
package struct Plot {
    /// One curve.
    package struct Series {
        let name: String
        let points: [(x: Double, y: Double)]
        /// - Parameter points: in order of x; those that are not finite are left out.
        package init(name: String, points: [(x: Double, y: Double)]) { (self.name, self.points) = (name, points) }
    }

    let title: String
    let series: [Series]
    private let width = 640, height = 360
    private let left = 70, right = 20, top = 40, bottom = 40
    private static let colours: [(UInt8, UInt8, UInt8)] = [(31, 98, 201), (214, 90, 36), (46, 140, 70), (140, 60, 170)]

    /// Series without a point are left out.
    package init(title: String, series: [Series]) {
        self.title = title
        self.series = series.filter { !$0.points.isEmpty }
    }

    /// 640 × 360 pixels, axes from the least to the largest point.
    package func picture() -> Picture {
        var picture = Picture(width: width, height: height, filledWith: (255, 255, 255))
        picture.write(title, left: 10, top: 10)
        let all = series.flatMap(\.points).filter(Plot.hasPlace)
        guard let firstX = all.map(\.x).min(), let lastX = all.map(\.x).max(), let low = all.map(\.y).min(),
            let high = all.map(\.y).max()
        else {
            picture.write("NO POINTS", left: width / 2, top: height / 2)
            return picture
        }
        let spanX = max(lastX - firstX, 1e-9)
        let spanY = max(high - low, 1e-9)
        func place(_ point: (x: Double, y: Double)) -> (Int, Int) {
            (
                left + Int((point.x - firstX) / spanX * Double(width - left - right)),
                top + Int((high - point.y) / spanY * Double(height - top - bottom))
            )
        }
        for tick in Plot.ticks(low, high) {
            let y = place((firstX, tick)).1
            line((left, y), (width - right, y), (225, 225, 225), &picture)
            picture.write(label(tick), left: 6, top: y - 4)
        }
        for tick in Plot.ticks(firstX, lastX) {
            let text = label(tick)
            picture.write(text, left: place((tick, low)).0 - 4 * text.count, top: height - bottom + 10)
        }
        for (index, one) in series.enumerated() {
            let colour = Plot.colours[index % Plot.colours.count]
            let places = one.points.filter(Plot.hasPlace).map(place)
            for (a, b) in zip(places, places.dropFirst()) { line(a, b, colour, &picture) }
            if places.count == 1 { dot(places[0], colour, &picture) }
            picture.write(one.name, left: left + 10 + 150 * index, top: 26, colour: colour)
        }
        return picture
    }

    /// Whether a point can be drawn: finite, and far enough from the largest number for differences to be finite too.
    private static func hasPlace(_ point: (x: Double, y: Double)) -> Bool {
        abs(point.x) < 1e300 && abs(point.y) < 1e300
    }

    /// The round numbers (1, 2 or 5 times a power of ten apart) that divide a range into at most five.
    static func ticks(_ low: Double, _ high: Double) -> [Double] {
        guard high > low else { return [low] }
        let rough = (high - low) / 5
        let power = pow(10, log10(rough).rounded(.down))
        let step = power * ([1, 2, 5].first { $0 * power >= rough } ?? 10)
        return stride(from: (low / step).rounded(.up), through: (high / step).rounded(.down), by: 1).map { $0 * step }
    }

    /// Four significant digits or so.
    private func label(_ value: Double) -> String {
        // A training that diverges can show losses that no Int holds.
        guard abs(value) < 1e9 else { return String(Float(value)) }
        let magnitude = abs(value)
        let factor: Double = magnitude >= 100 ? 1 : magnitude >= 1 ? 100 : 10_000
        let rounded = (value * factor).rounded() / factor
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }

    /// Five pixels a side: a curve of one point has no line.
    private func dot(_ place: (x: Int, y: Int), _ colour: (UInt8, UInt8, UInt8), _ picture: inout Picture) {
        for y in place.y - 2...place.y + 2 { line((place.x - 2, y), (place.x + 2, y), colour, &picture) }
    }

    private func line(_ a: (Int, Int), _ b: (Int, Int), _ colour: (UInt8, UInt8, UInt8), _ picture: inout Picture) {
        let steps = max(abs(b.0 - a.0), abs(b.1 - a.1), 1)
        for step in 0...steps {
            picture.set(a.0 + (b.0 - a.0) * step / steps, a.1 + (b.1 - a.1) * step / steps, colour)
        }
    }
}
