import Foundation
import Hashing
import Hummingbird

/// The style sheet, the script and the icon, read once.
struct Assets: Sendable {
    private struct Asset: Sendable {
        let body: ByteBuffer
        let type: String
        let tag: String
    }

    private static let types = ["css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"]
    private let files: [String: Asset]

    /// Reads the files of a folder.
    /// - Throws: what reading throws.
    init(directory: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory)
        files = try Dictionary(
            uniqueKeysWithValues: names.compactMap { name in
                guard let type = Self.types[(name as NSString).pathExtension] else { return nil }
                let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
                let tag = "\"\(SHA256Digest.of(data).description.prefix(16))\""
                return (name, Asset(body: ByteBuffer(bytes: data), type: type + "; charset=utf-8", tag: tag))
            })
    }

    func add(to router: Router<WebContext>) {
        router.get("/assets/:name") { request, context in try answer(context.part("name"), request) }
        // A picture or JSON, opened by itself, names no icon: browsers ask for this one.
        router.get("/favicon.ico") { request, _ in try answer("icon.svg", request) }
    }

    /// Whether that is one of them, which also who has not signed in yet needs.
    static func isOne(_ path: String) -> Bool { path.hasPrefix("/assets/") || path == "/favicon.ico" }

    private func answer(_ name: String, _ request: Request) throws -> Response {
        guard let asset = files[name] else { throw HTTPError(.notFound) }
        let headers: HTTPFields = [.eTag: asset.tag, .cacheControl: "no-cache", .contentType: asset.type]
        if request.headers[.ifNoneMatch] == asset.tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: asset.body))
    }
}
