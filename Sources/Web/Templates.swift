import Foundation
import Hummingbird
import Jobs
import Mustache

/// The pages' HTML: `web/templates` of the installation. What a template says in two braces is escaped; three are only
/// for drawings made here from numbers.
struct Templates: Sendable {
    private let library: MustacheLibrary

    /// What is wrong with the templates.
    struct Problem: Error, CustomStringConvertible { let description: String }

    /// Reads all of them.
    /// - Throws: ``Problem``, the parser's error.
    init(directory: String) async throws {
        library = try await MustacheLibrary(directory: directory)
        guard library.getTemplate(named: "layout") != nil else {
            throw Problem(description: "\(directory) holds no templates; install the folder web beside sql and models")
        }
    }

    /// A page, or a part of one.
    func html(_ name: String, _ model: [String: Any], status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: try text(name, model))))
    }

    /// The same as text.
    func text(_ name: String, _ model: [String: Any]) throws -> String {
        guard let text = library.render(model, withTemplate: name) else {
            throw Problem(description: "there is no template \(name)")
        }
        return text
    }
}

// The library asks values themselves what is nothing.
// swift-format-ignore: AvoidRetroactiveConformances
extension String: @retroactive MustacheCustomRenderable {
    /// As it is.
    public var renderText: String { self }
    /// A text of nothing is none: what a template says of it is left out.
    public var isNull: Bool { isEmpty }
}

extension JSONValue {
    /// What a template reads.
    var model: Any {
        switch self {
        case .null: NSNull()
        case .bool(let value): value
        case .integer(let value): value
        case .number(let value): Figures.plain(value)
        case .string(let value): value
        case .array(let values): values.map(\.model)
        case .object(let members): members.mapValues(\.model)
        }
    }

    /// The members of an object as a template reads them; none of anything else.
    var members: [String: Any] {
        guard case .object(let members) = self else { return [:] }
        return members.mapValues(\.model)
    }
}
