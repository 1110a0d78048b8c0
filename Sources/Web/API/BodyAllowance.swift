import Foundation
import Hummingbird
import Synchronization

/// How many bytes of large bodies are held at once. A job with its pictures is there several times over while it is
/// read, checked and published: without a bound a few of the largest take more memory than the program may. What has
/// come counts, not what was announced: a body that comes slowly keeps nobody out with what it has yet to bring.
final class BodyAllowance: Sendable {
    /// What is no longer than that is not counted, so that no small job waits for another's pictures.
    static let small = 1 << 20

    private let most: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let held = Mutex(0)

    /// Allows so many bytes: one of the longest bodies, or several shorter ones.
    init(most: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        (self.most, self.now) = (most, now)
    }

    /// Reads a body and does `work` with it; until that is done it is held.
    /// - Parameter announced: how long it says it is; nil where it does not say it.
    /// - Throws: 413 for one that is too long, 503 with Retry-After where too many bytes are held already, 408 where it
    ///   comes too slowly, 400 where it breaks off; what `work` throws.
    func read<Chunks: AsyncSequence, Value>(
        _ chunks: Chunks, announced: Int?, _ work: (Data) async throws -> Value
    ) async throws -> Value where Chunks.Element: Collection<UInt8> {
        try admit(announced ?? 0)
        var (body, counted) = (Data(), 0)
        defer { held.withLock { $0 -= counted } }
        var pace = UploadPace(since: now())
        try await receiving {
            for try await chunk in chunks {
                try pace.count(chunk.count, at: now())
                try count(body.count + chunk.count, &counted)
                body.append(contentsOf: chunk)
            }
        }
        return try await work(body)
    }

    /// Refuses at once what would not be read to its end now.
    private func admit(_ length: Int) throws {
        guard length > Self.small else { return }
        guard length <= most else { throw tooLong }
        guard held.withLock({ $0 + length <= most }) else { throw Self.full }
    }

    /// Counts a body as so long, where it was `counted` before.
    private func count(_ length: Int, _ counted: inout Int) throws {
        guard length > Self.small else { return }
        guard length <= most else { throw tooLong }
        let more = length - counted
        let hasRoom = held.withLock { held in
            guard held + more <= most else { return false }
            held += more
            return true
        }
        guard hasRoom else { throw Self.full }
        counted = length
    }

    private var tooLong: HTTPError { HTTPError(.contentTooLarge, message: "A body has at most \(most >> 20) MiB.") }

    private static let full = HTTPError(
        .serviceUnavailable, headers: [.retryAfter: "5"],
        message: "Other jobs with pictures are being read; send it again in some seconds.")
}

/// Reads a body. One that breaks off, or is no HTTP, is its sender's doing and no page's failure.
/// - Throws: 400 for that, and whatever else is answered with a status.
func receiving<Value>(_ read: () async throws -> Value) async throws -> Value {
    do { return try await read() } catch let error as any HTTPResponseError { throw error } catch {
        throw HTTPError(.badRequest, message: "The body broke off before its end.")
    }
}

extension Request {
    /// How long its body is, as it says.
    var bodyBytes: Int? { headers[.contentLength].flatMap { Int($0) } }
}
