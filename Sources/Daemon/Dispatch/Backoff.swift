/// Waits between tries: doubling from a base to a cap, with full jitter, so that many who lost one server do not return
/// at once.
package struct Backoff: Sendable {
    private let base: Double
    private let cap: Double
    private var tries = 0

    /// Waits up to `base` seconds first and up to `cap` at last.
    package init(base: Double = 0.2, cap: Double = 10) {
        self.base = base
        self.cap = cap
    }

    /// The next wait.
    package mutating func next() -> Duration {
        let limit = min(cap, base * Double(1 << min(tries, 16)))
        tries += 1
        return .seconds(Double.random(in: limit / 4...limit))
    }

    /// It worked: begin again.
    package mutating func reset() { tries = 0 }
}
