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
    /// The reference pictures, in order; empty where nothing is learnt, and where an evaluation takes those its
    /// concepts were learnt from.
    package let images: [ImageSource]
    /// The prompts, in order.
    package let prompts: [String]
    /// The concepts the job uses, wherever it names them.
    package let mentions: [ConceptMention]
    /// What a `personalize` job learns.
    package let concept: Concept?
    /// The backbone; empty for a probe, which needs none.
    package let model: String

    /// The concept of a `personalize` job.
    package struct Concept: Sendable, Equatable {
        /// How prompts call it: `<name>`.
        package let name: String
        package let role: ConceptRole
    }

    /// The body without the pictures' bytes: what an engine gets, which finds the pictures as files.
    package var spec: JSONValue {
        guard case .object(var members) = body else { return body }
        members["images"] = nil
        return .object(members)
    }

    /// Validates a body. Throws `Problems` with every problem in it.
    package init(body data: Data) throws {
        try self.init(try Self.parsed(data))
    }

    /// The JSON of a message of anybody's. Throws `Problems` with one problem, before memory is spent on what is far
    /// too much.
    package static func parsed(_ data: Data) throws -> JSONValue {
        guard JSONExtent.isBounded(data) else {
            throw Problems([
                Problem(
                    "", found: "JSON of more values or deeper than any job",
                    allowed: "at most \(JSONExtent.mostValues) values, \(JSONExtent.deepest) deep")
            ])
        }
        do { return try JSONValue(json: data) } catch {
            throw Problems([Problem("", found: "bytes that are not JSON", allowed: "a JSON object in UTF-8")])
        }
    }

    /// The same for parsed JSON.
    package init(_ body: JSONValue) throws {
        var reader = RequestReader(body: body)
        guard case .object = body else { throw Problems([Problem("", found: body.brief, allowed: "a JSON object")]) }
        let kind = reader.kind()
        reader.version()
        self.kind = kind ?? .generate
        self.body = body
        let model = kind == .probe ? nil : reader.model(kind == .compose ? ModelName.composing : ModelName.allCases)
        self.model = model?.rawValue ?? ""
        reader.seed()
        switch kind {
        case .personalize:
            reader.fields(["version", "kind", "concept", "method", "model", "images", "prompts", "seed", "options"])
            concept = reader.concept()
            let method = reader.method(model: model, role: concept?.role)
            images = reader.images()
            prompts = reader.prompts(0...64)
            if let concept { reader.only([concept.name], in: prompts, because: "the concept this job learns") }
            reader.options(method?.options(for: concept?.role ?? .subject))
            mentions = []
        case .generate:
            reader.fields(["version", "kind", "model", "prompts", "images_per_prompt", "seed", "options"])
            (concept, images) = (nil, [])
            prompts = reader.prompts(1...64)
            reader.integer("images_per_prompt", 1...16)
            reader.options(model?.drawing)
            mentions = ConceptMention.all(in: prompts)
        case .compose:
            reader.fields([
                "version", "kind", "model", "subject", "style", "prompts", "images_per_prompt", "seed", "options",
            ])
            (concept, images) = (nil, [])
            mentions = reader.pair()
            prompts = reader.prompts(1...64)
            if mentions.count == 2 {
                reader.only(mentions.map(\.name), in: prompts, because: "the concepts this job joins")
            }
            reader.integer("images_per_prompt", 1...16)
            reader.options(model?.drawing)
        case .evaluate:
            reader.fields([
                "version", "kind", "model", "concepts", "suite", "prompts", "images_per_prompt", "seed", "seeds",
                "images", "options",
            ])
            concept = nil
            mentions = reader.conceptNames()
            images = reader.referencesInstead(of: mentions)
            prompts = reader.suitePrompts(mentions.map(\.name))
            reader.integer("images_per_prompt", 1...16)
            reader.seeds()
            reader.options(.evaluation)
        case .probe:
            reader.fields(["version", "kind"])
            (concept, images, prompts, mentions) = (nil, [], [], [])
        case nil:
            (concept, images, prompts, mentions) = (nil, [], [], [])
        }
        guard reader.problems.isEmpty else { throw Problems(reader.problems) }
    }
}
