import Daemon
import Foundation
import Hashing
import Hummingbird
import Jobs

/// Bytes by their SHA-256, for whose tenant has them: pictures to be looked at, everything else to be saved. What they
/// are is told by their own first bytes, never by what a job said of them.
struct Files: Sendable {
    let site: Site
    private let io = FileIO()
    /// A picture opened by itself stands in a page that the browser makes, with styles of its own; nothing runs there.
    private static let policy =
        "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

    init(site: Site) { self.site = site }

    func add(to router: Router<WebContext>) {
        router.get("/files/:digest") { request, context in
            try await file(context.part("digest"), request, context)
        }
    }

    private func file(_ text: String, _ request: Request, _ context: WebContext) async throws -> Response {
        let viewer = try context.knownViewer()
        let absent = HTTPError(.notFound, message: "There are no such bytes, or no more.")
        guard let digest = SHA256Digest(text), text.utf8.count == 64,
            try await site.reader.row(
                """
                select 1 as one from dashboard.artifacts
                where sha256 = $1 and ($2::text is null or tenant = $2) limit 1
                """, [text, viewer.tenant]) != nil
        else { throw absent }
        let path = site.artifacts.path(of: digest)
        guard let size = site.artifacts.size(of: digest) else { throw absent }
        var headers: HTTPFields = [
            .eTag: "\"\(text)\"", .cacheControl: "private, max-age=86400, immutable",
            .contentSecurityPolicy: Self.policy,
        ]
        if request.headers[.ifNoneMatch] == "\"\(text)\"" { return Response(status: .notModified, headers: headers) }
        let type = try await runBlocking { Self.pictureType(path) }
        headers[.contentType] = type ?? "application/octet-stream"
        headers[.contentLength] = String(size)
        if let name = request.parameter("download") {
            headers[.contentDisposition] = "attachment; filename=\"\(Self.safe(name))\""
        } else if type == nil {
            headers[.contentDisposition] = "attachment; filename=\"\(text)\""
        }
        return Response(status: .ok, headers: headers, body: try await io.loadFile(path: path, context: context))
    }

    /// The media type of a picture that browsers show, by its first bytes.
    static func pictureType(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard let start = try? file.read(upToCount: 16) else { return nil }
        return PictureFormat(start)?.mediaType
    }

    /// A name that no header and no disk takes for anything else.
    static func safe(_ name: String) -> String {
        let allowed = name.unicodeScalars.map { scalar in
            scalar.isASCII && (CharacterSet.alphanumerics.contains(scalar) || "._-".unicodeScalars.contains(scalar))
                ? Character(scalar) : "_"
        }
        let text = String(String(allowed).drop { $0 == "." }.prefix(100))
        return text.isEmpty ? "file" : text
    }
}
