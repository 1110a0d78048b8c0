import Glibc

/// A filled outline, by its signed distance in pixels (negative inside). Formulas: Quilez, "2D distance functions".
enum Shape {
    case ellipse(centre: Point, radii: Point, angle: Float)
    case box(centre: Point, half: Point, corner: Float, angle: Float)
    case capsule(from: Point, to: Point, radius: Float)
    case polygon([Point])

    func distance(_ p: Point) -> Float {
        switch self {
        case .ellipse(let centre, let radii, let angle):
            let q = rotated(p - centre, -angle)
            let a = q / radii
            let k0 = length(a)
            let k1 = length(a / radii)
            return k1 < 1e-6 ? -min(radii.x, radii.y) : k0 * (k0 - 1) / k1
        case .box(let centre, let half, let corner, let angle):
            let q = rotated(p - centre, -angle)
            let d = Point(abs(q.x), abs(q.y)) - half + corner
            let outside = length(Point(max(d.x, 0), max(d.y, 0)))
            return outside + min(max(d.x, d.y), 0) - corner
        case .capsule(let a, let b, let radius):
            let ab = b - a
            let t = min(max(dot(p - a, ab) / max(dot(ab, ab), 1e-6), 0), 1)
            return length(p - a - ab * t) - radius
        case .polygon(let points):
            return Shape.distance(p, to: points)
        }
    }

    private static func distance(_ p: Point, to points: [Point]) -> Float {
        var nearest = dot(p - points[0], p - points[0])
        var sign: Float = 1
        var previous = points[points.count - 1]
        for point in points {
            let edge = previous - point
            let w = p - point
            let b = w - edge * min(max(dot(w, edge) / max(dot(edge, edge), 1e-6), 0), 1)
            nearest = min(nearest, dot(b, b))
            let above = p.y >= point.y
            let below = p.y < previous.y
            let left = edge.x * w.y > edge.y * w.x
            if (above && below && left) || (!above && !below && !left) { sign = -sign }
            previous = point
        }
        return sign * nearest.squareRoot()
    }

    var bounds: (Point, Point) {
        switch self {
        case .ellipse(let centre, let radii, _):
            let r = max(radii.x, radii.y)
            return (centre - r, centre + r)
        case .box(let centre, let half, _, let angle):
            let c = abs(cos(angle))
            let s = abs(sin(angle))
            let extent = Point(half.x * c + half.y * s, half.x * s + half.y * c)
            return (centre - extent, centre + extent)
        case .capsule(let a, let b, let radius):
            return (Point(min(a.x, b.x), min(a.y, b.y)) - radius, Point(max(a.x, b.x), max(a.y, b.y)) + radius)
        case .polygon(let points):
            return points.reduce((points[0], points[0])) {
                (Point(min($0.0.x, $1.x), min($0.0.y, $1.y)), Point(max($0.1.x, $1.x), max($0.1.y, $1.y)))
            }
        }
    }
}

func dot(_ a: Point, _ b: Point) -> Float { a.x * b.x + a.y * b.y }
func length(_ p: Point) -> Float { dot(p, p).squareRoot() }
func rotated(_ p: Point, _ angle: Float) -> Point {
    if angle == 0 { return p }
    let c = cos(angle)
    let s = sin(angle)
    return Point(c * p.x - s * p.y, s * p.x + c * p.y)
}

/// Draws in its own units (about −1…1, y down) at a place, size and tilt on a canvas.
struct Pen {
    let canvas: Canvas
    let origin: Point
    let scale: Float
    let tilt: Float
    /// −1 looks to the other side.
    let facing: Float

    func point(_ x: Float, _ y: Float) -> Point { origin + rotated(Point(x * facing, y) * scale, tilt) }
    func toPen(_ p: Point) -> Point {
        let q = rotated(p - origin, -tilt) / scale
        return Point(q.x * facing, q.y)
    }

    private func fill(_ shape: Shape, _ paint: Paint) { canvas.fill(shape, paint, toPen: toPen) }

    func ellipse(_ x: Float, _ y: Float, _ rx: Float, _ ry: Float, _ paint: Paint, angle: Float = 0) {
        fill(.ellipse(centre: point(x, y), radii: Point(rx, ry) * scale, angle: tilt + angle * facing), paint)
    }

    func circle(_ x: Float, _ y: Float, _ r: Float, _ paint: Paint) { ellipse(x, y, r, r, paint) }

    func box(
        _ x: Float, _ y: Float, _ halfWidth: Float, _ halfHeight: Float, _ paint: Paint, corner: Float = 0.06
    ) {
        fill(
            .box(
                centre: point(x, y), half: Point(halfWidth, halfHeight) * scale, corner: corner * scale,
                angle: tilt), paint)
    }

    func line(_ x0: Float, _ y0: Float, _ x1: Float, _ y1: Float, _ width: Float, _ paint: Paint) {
        fill(.capsule(from: point(x0, y0), to: point(x1, y1), radius: width * scale), paint)
    }

    func polygon(_ points: [(Float, Float)], _ paint: Paint) { fill(.polygon(points.map { point($0.0, $0.1) }), paint) }

    /// A round eye: white, pupil, glint.
    func eye(_ x: Float, _ y: Float, _ r: Float) {
        circle(
            x, y, r,
            Paint(colour: Colour(0.99, 0.99, 0.99), shade: 0, outline: 0.6, outlineColour: Colour(0.1, 0.1, 0.12)))
        circle(x + 0.12 * r, y + 0.08 * r, r * 0.56, Paint(colour: Colour(0.06, 0.06, 0.08), shade: 0, outline: 0))
    }

    /// The soft shadow on the ground below what the pen draws.
    func shadow() { ellipse(0, 1, 0.95, 0.16, Paint(colour: .zero, shade: 0, outline: 0, opacity: 0.22)) }

    /// A round hole with a dark edge, through everything painted on the layer so far.
    func hole(_ x: Float, _ y: Float, _ r: Float) {
        circle(x, y, r + 0.04, Paint(colour: Colour(0.14, 0.11, 0.16), shade: 0, outline: 0))
        canvas.clear(.ellipse(centre: point(x, y), radii: Point(r, r) * scale, angle: 0))
    }

    /// The same pen on another canvas of the same size.
    func on(_ canvas: Canvas) -> Pen {
        Pen(canvas: canvas, origin: origin, scale: scale, tilt: tilt, facing: facing)
    }

    /// A dark dot eye.
    func dot(_ x: Float, _ y: Float, _ r: Float) {
        circle(x, y, r, Paint(colour: Colour(0.06, 0.06, 0.08), shade: 0, outline: 0))
    }
}
