import Foundation
import Hashing
import Synchronization

/// Who has signed in, by what their cookie says; forgotten with the program, and after twelve hours.
final class Sessions: Sendable {
    /// What one cookie stands for.
    struct Session: Sendable {
        let token: AccessToken
        let ends: ContinuousClock.Instant
    }

    /// The cookie's name.
    static let cookie = "atelier"
    /// How long one lasts.
    static let lifetime = Duration.seconds(12 * 3600)
    private static let most = 10_000
    private let sessions = Mutex<[String: Session]>([:])
    /// What makes form tokens this program's own.
    private let secret = RandomText.make()

    /// Begins a session; gives the cookie's value.
    func begin(_ token: AccessToken) -> String {
        let identifier = RandomText.make()
        sessions.withLock { sessions in
            let now = ContinuousClock.now
            if sessions.count >= Self.most { sessions = sessions.filter { $0.value.ends > now } }
            if sessions.count >= Self.most { sessions.removeAll() }
            sessions[identifier] = Session(token: token, ends: now + Self.lifetime)
        }
        return identifier
    }

    /// Whose cookie that is.
    func holder(of identifier: String) -> AccessToken? {
        sessions.withLock { sessions in
            guard let session = sessions[identifier] else { return nil }
            if session.ends > .now { return session.token }
            sessions[identifier] = nil
            return nil
        }
    }

    /// Ends a session.
    func end(_ identifier: String) { sessions.withLock { $0[identifier] = nil } }

    /// What the forms of pages carry that are shown to the holder of a cookie: another site can send the cookie along,
    /// and does not know this.
    func formToken(for identifier: String) -> String { SHA256Digest.of((secret + identifier).utf8).description }
}
