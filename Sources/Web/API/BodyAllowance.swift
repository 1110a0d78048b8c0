import Hummingbird
import Synchronization

/// How many bytes of large bodies are held at once. A job with its pictures is there several times over while it is
/// read, checked and published: without a bound a few of the largest take more memory than the program may.
final class BodyAllowance: Sendable {
    /// What is no longer than that is not counted, so that no small job waits for another's pictures.
    static let small = 1 << 20

    private let most: Int
    private let held = Mutex(0)

    /// Allows so many bytes: one of the longest bodies, or several shorter ones.
    init(most: Int) { self.most = most }

    /// Does `work` with a body of so many bytes; one that does not say how many may have as many as any.
    /// - Throws: 503 with Retry-After where too many are held already; what `work` throws.
    func hold<Value>(_ bytes: Int?, _ work: () async throws -> Value) async throws -> Value {
        let counted = min(bytes ?? most, most)
        guard counted > Self.small else { return try await work() }
        try take(counted)
        defer { held.withLock { $0 -= counted } }
        return try await work()
    }

    private func take(_ bytes: Int) throws {
        let isTaken = held.withLock { held in
            guard held + bytes <= most else { return false }
            held += bytes
            return true
        }
        guard !isTaken else { return }
        throw HTTPError(
            .serviceUnavailable, headers: [.retryAfter: "5"],
            message: "Other jobs with pictures are being read; send it again in some seconds.")
    }
}

extension Request {
    /// How long its body is, as it says.
    var bodyBytes: Int? { headers[.contentLength].flatMap { Int($0) } }
}
