import Hummingbird

/// How fast a body has to come, so that what it holds is soon others' again: slower than the poorest lines that jobs
/// are sent over, for the allowance counts what has come.
struct UploadPace {
    /// KiB a second, on average over each window.
    private static let least = 8
    private static let window = Duration.seconds(30)

    private var start: ContinuousClock.Instant
    private var bytes = 0

    /// Begins to measure.
    init(since start: ContinuousClock.Instant) { self.start = start }

    /// Counts bytes that came.
    /// - Throws: 408 where a window that is over brought too few.
    mutating func count(_ more: Int, at now: ContinuousClock.Instant) throws {
        bytes += more
        let passed = now - start
        guard passed >= Self.window else { return }
        guard Double(bytes) >= Double(Self.least << 10) * (passed / .seconds(1)) else { throw Self.tooSlow }
        (start, bytes) = (now, 0)
    }

    private static let tooSlow = HTTPError(
        .requestTimeout, headers: [.connection: "close"],
        message: """
            The body came slower than \(least) KiB a second for half a minute, and was not read to its end; send it \
            over a faster line, or fewer and smaller pictures.
            """)
}
