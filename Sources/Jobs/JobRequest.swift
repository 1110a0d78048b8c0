import Foundation

/// Where a reference picture comes from.
package enum ImageSource: Sendable, Equatable {
    /// A PNG inside the message.
    case png(Data)
    /// Bytes that are already in the artifact store: 64 hexadecimal digits.
    case artifact(String)
}

/// A job as it was asked for, valid in every field.
package struct JobRequest: Sendable, Equatable {
    /// What is to be done.
    package let kind: JobKind
    /// The body as it came, without the bytes of its pictures where `strippedOfPictures` was asked for.
    package let body: JSONValue
    /// The reference pictures, in order; empty for `generate`.
    package let images: [ImageSource]
    /// The prompts, in order.
    package let prompts: [String]
    /// The concepts the prompts of a `generate` job name as `<name>`, each once, in order.
    package let concepts: [String]
    /// What a `personalize` job learns.
    package let concept: Concept?
    /// The backbone; empty for a probe, which needs none.
    package let model: String

    /// The concept of a `personalize` job.
    package struct Concept: Sendable, Equatable {
        /// How prompts call it: `<name>`.
        package let name: String
        /// `subject` or `style`.
        package let role: String
    }

    /// The body without the pictures' bytes: what an engine gets, which finds the pictures as files.
    package var spec: JSONValue {
        guard case .object(var members) = body else { return body }
        members["images"] = nil
        return .object(members)
    }

    /// Validates a body. Throws `Problems` with every problem in it.
    package init(body data: Data) throws {
        let body: JSONValue
        do { body = try JSONValue(json: data) } catch {
            throw Problems([Problem("", found: "bytes that are not JSON", allowed: "a JSON object in UTF-8")])
        }
        try self.init(body)
    }

    /// The same for parsed JSON.
    package init(_ body: JSONValue) throws {
        var reader = RequestReader(body: body)
        guard case .object = body else { throw Problems([Problem("", found: body.brief, allowed: "a JSON object")]) }
        let kind = reader.kind()
        reader.version()
        self.kind = kind ?? .generate
        self.body = body
        model = kind == .probe ? "" : reader.choice("model", RequestReader.models) ?? ""
        reader.seed()
        switch kind {
        case .personalize:
            reader.fields(["version", "kind", "concept", "method", "model", "images", "prompts", "seed", "options"])
            concept = reader.concept()
            let method = reader.choice("method", RequestReader.methods).flatMap(PersonalizationMethod.init(rawValue:))
            images = reader.images()
            prompts = reader.prompts(0...64)
            if let concept { reader.onlyConcept(concept.name, in: prompts) }
            reader.options(method?.options)
            concepts = []
        case .generate:
            reader.fields(["version", "kind", "model", "prompts", "images_per_prompt", "seed", "options"])
            concept = nil
            images = []
            prompts = reader.prompts(1...64)
            reader.integer("images_per_prompt", 1...16)
            reader.options(.generation)
            concepts = Self.concepts(in: prompts)
        case .probe:
            reader.fields(["version", "kind"])
            (concept, images, prompts, concepts) = (nil, [], [], [])
        case nil:
            (concept, images, prompts, concepts) = (nil, [], [], [])
        }
        guard reader.problems.isEmpty else { throw Problems(reader.problems) }
    }

    /// The names between `<` and `>`, each once, in order.
    package static func concepts(in prompts: [String]) -> [String] {
        var names: [String] = []
        for prompt in prompts {
            for match in prompt.matches(of: /<([a-z0-9][a-z0-9_-]{0,63})>/) where !names.contains(String(match.1)) {
                names.append(String(match.1))
            }
        }
        return names
    }
}
