import Foundation

/// What an engine is asked to look into before a message becomes a job: its body without its pictures, one JSON line,
/// and behind the line the pictures' bytes, one after the other. ``InspectionReport`` answers it.
///
///     {"id":7,"body":{"kind":"personalize",…},"pictures":[{"pointer":"/images/0/data","bytes":81234}]}⏎ 81,234 bytes
///
/// `atelier-engine inspect` says `{"id":0}` once it is ready, and answers orders one after the other until its stdin
/// ends. What it cannot survive costs that process alone.
package struct InspectionOrder: Sendable, Equatable {
    /// A picture of the body, where it was in it.
    package struct Picture: Sendable, Equatable {
        /// Of the member that held it, `/images/0/data`.
        package let pointer: String
        /// The file's bytes.
        package let data: Data

        /// Names a picture.
        package init(pointer: String, data: Data) { (self.pointer, self.data) = (pointer, data) }
    }

    /// What was learnt of a concept.
    package struct Adapter: Sendable, Equatable, Codable {
        /// A `PersonalizationMethod`'s name.
        package let method: String
        /// Of its file.
        package let bytes: Int
        /// Places of a prompt that a mention takes, where that is not one.
        package let rows: Int?

        /// Describes a file.
        package init(method: String, bytes: Int, rows: Int? = nil) {
            (self.method, self.bytes, self.rows) = (method, bytes, rows)
        }
    }

    /// Answers name it; from 1.
    package var id: Int
    /// The body as it came, whatever it is, its pictures' digits left out.
    package let body: JSONValue
    /// In the body's order; their bytes follow the line.
    package let pictures: [Picture]
    /// Of the concepts that the body mentions, by what it calls them, where they are learnt: what they weigh counts,
    /// and how much of a prompt they take.
    package var adapters: [String: Adapter]

    /// Describes what is to be looked into.
    package init(id: Int = 0, body: JSONValue, pictures: [Picture], adapters: [String: Adapter] = [:]) {
        (self.id, self.body, self.pictures, self.adapters) = (id, body, pictures, adapters)
    }

    /// Takes the pictures out of a message's body; nil where there is nothing an engine could say about it: a probe, or
    /// what is no JSON.
    package init?(message: Data) {
        guard let parsed = try? JobSpec.parsed(message), case .object(var members) = parsed,
            members["model"] != nil || members["prompts"] != nil || members["images"] != nil
        else { return nil }
        var pictures: [Picture] = []
        if let images = members["images"]?.array {
            members["images"] = .array(
                images.enumerated().map { index, image in
                    Self.emptied(image, at: "/images/\(index)", into: &pictures)
                })
        }
        self.init(body: .object(members), pictures: pictures)
    }

    /// The job that the body is of, any picture standing for those whose digits were taken out; nil where it is none.
    package var spec: JobSpec? {
        guard case .object(var members) = body else { return nil }
        members["images"] = members["images"]?.array.map { images in
            .array(images.map { $0["artifact"] == nil ? ImageSource.any.json : $0 })
        }
        return try? JobSpec(.object(members))
    }

    /// The same without its digits; more pictures than a job may have are not looked into.
    private static func emptied(_ image: JSONValue, at pointer: String, into pictures: inout [Picture]) -> JSONValue {
        guard case .object(var members) = image else { return .null }
        for field in ["png", "data"] {
            guard let text = members[field]?.string else { continue }
            members[field] = nil
            // What does not begin like a picture is refused by the daemon itself.
            guard pictures.count < ImageSource.mostPictures, let data = Data(base64Encoded: text),
                data.count <= ImageSource.mostBytes, PictureFormat(data) != nil
            else { continue }
            pictures.append(Picture(pointer: "\(pointer)/\(field)", data: data))
        }
        return .object(members)
    }
}

extension InspectionOrder {
    private struct Line: Codable {
        struct Picture: Codable {
            let pointer: String
            let bytes: Int
        }

        let id: Int
        let body: JSONValue
        let pictures: [Picture]
        let adapters: [String: Adapter]?
    }

    /// The line, without its end; the pictures' bytes follow it.
    package var line: Data {
        let line = Line(
            id: id, body: body, pictures: pictures.map { .init(pointer: $0.pointer, bytes: $0.data.count) },
            adapters: adapters.isEmpty ? nil : adapters)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(line)) ?? Data()
    }

    /// Reads the line and what follows it.
    /// - Parameter bytes: gives so many of the next bytes.
    package init(line: Data, bytes: (Int) throws -> Data) throws {
        let line = try JSONDecoder().decode(Line.self, from: line)
        self.init(
            id: line.id, body: line.body,
            pictures: try line.pictures.map { Picture(pointer: $0.pointer, data: try bytes($0.bytes)) },
            adapters: line.adapters ?? [:])
    }
}

/// What an engine found in an ``InspectionOrder``: one JSON line.
package struct InspectionReport: Sendable, Equatable, JSONLine {
    /// Of the order; 0 says that the engine is ready.
    package var id: Int
    /// What the job cannot be done with.
    package var problems: [Problem]?
    /// What its sender should know, though it can be done.
    package var warnings: [String]?
    /// What the job takes; nil where that cannot be told.
    package var cost: JobCost?
    /// Why that cannot be told, for people; nil where it is, and of a job with problems.
    package var uncounted: String?

    /// Answers an order.
    package init(
        id: Int, problems: [Problem] = [], warnings: [String] = [], cost: JobCost? = nil, uncounted: String? = nil
    ) {
        (self.id, self.cost, self.uncounted) = (id, cost, uncounted)
        self.problems = problems.isEmpty ? nil : problems
        self.warnings = warnings.isEmpty ? nil : warnings
    }
}
