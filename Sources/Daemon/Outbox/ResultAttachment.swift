import Foundation
import Hashing
import Jobs

/// What goes into an outcome beside what the tables say of it, for a publisher is rarely on the daemon's host: bytes of
/// artifacts that its message asked for, up to a limit, and where the web program has them.
struct ResultAttachment: Sendable {
    let artifacts: ArtifactDirectory
    /// Bytes of all attached artifacts together, before base64.
    let limit: Int
    /// The web program's address, without a slash at its end; nothing: it is not told.
    let address: String

    private static let asked = Data(#""attach""#.utf8)

    /// Whether anything may be put into an outcome: told without reading it, for most ask for nothing.
    func concerns(_ body: Data) -> Bool { !address.isEmpty || isAsked(body) }

    /// Whether an outcome's message asked for bytes of artifacts.
    func isAsked(_ body: Data) -> Bool { body.range(of: Self.asked) != nil }

    /// The body with `data` and `url` in its artifacts. What the limit leaves out, and what is not there any more, is
    /// named in `not_attached`.
    func filled(_ body: Data) -> Data {
        guard case .object(var members)? = try? JSONValue(json: body), let list = members["artifacts"]?.array else {
            return body
        }
        let wanted = Set((members["attach"]?.array ?? []).compactMap(\.string))
        guard !wanted.isEmpty || !address.isEmpty else { return body }
        members["attach"] = nil
        var left = limit
        var missing: [JSONValue] = []
        members["artifacts"] = .array(
            list.map { artifact in
                guard case .object(var row) = artifact, let digest = row["sha256"]?.string.flatMap(SHA256Digest.init)
                else { return artifact }
                if !address.isEmpty { row["url"] = .string("\(address)/files/\(digest)") }
                guard row["role"]?.string.map(wanted.contains) ?? false else { return .object(row) }
                let bytes = row["bytes"]?.integer ?? .max
                if bytes <= left, let data = FileManager.default.contents(atPath: artifacts.path(of: digest)) {
                    left -= bytes
                    row["data"] = .string(data.base64EncodedString())
                } else {
                    missing.append(row["name"] ?? .null)
                }
                return .object(row)
            })
        if !missing.isEmpty { members["not_attached"] = .array(missing) }
        return JSONValue.object(members).line
    }
}
