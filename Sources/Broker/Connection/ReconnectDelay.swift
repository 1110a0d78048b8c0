/// How long to wait before the next attempt: from half a second, doubling, to 30 seconds; each wait is between half and
/// all of that, so that many clients of one broker do not come back in step.
struct ReconnectDelay {
    private static let first = 1.0
    private static let longest = 30.0
    private var ceiling = first

    /// The next wait.
    mutating func next(random: Double = .random(in: 0.5...1)) -> Duration {
        defer { ceiling = min(ceiling * 2, Self.longest) }
        return .seconds(ceiling * random)
    }

    /// It worked: the next failure waits little again.
    mutating func reset() { ceiling = Self.first }
}
