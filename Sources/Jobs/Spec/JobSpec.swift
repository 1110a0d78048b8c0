import Foundation

/// A job as it was asked for, valid in every field: decoded once from a message, written into the job's row, and given
/// to the engine, which decodes the same type.
package enum JobSpec: Sendable, Equatable {
    /// Learn a concept from reference pictures.
    case personalize(PersonalizeSpec)
    /// Draw pictures with none, one or more concepts.
    case generate(GenerateSpec)
    /// Draw a subject in a style.
    case compose(ComposeSpec)
    /// Measure concepts over prompts.
    case evaluate(EvaluateSpec)
    /// Go the whole way without an engine.
    case probe

    /// What is to be done.
    package var kind: JobKind {
        switch self {
        case .personalize: .personalize
        case .generate: .generate
        case .compose: .compose
        case .evaluate: .evaluate
        case .probe: .probe
        }
    }

    /// The backbone's name; nil for a probe, which needs none.
    package var model: String? {
        switch self {
        case .personalize(let spec): spec.model
        case .generate(let spec): spec.model
        case .compose(let spec): spec.drawing.model
        case .evaluate(let spec): spec.model
        case .probe: nil
        }
    }

    /// Of the pictures that are drawn; nil where it is the model's usual one.
    package var size: ModelDescription.Size? {
        switch self {
        case .generate(let spec): spec.size
        case .compose(let spec): spec.drawing.size
        case .personalize, .evaluate, .probe: nil
        }
    }

    /// The reference pictures, in order; empty where nothing is learnt, and where an evaluation takes those its
    /// concepts were learnt from.
    package var images: [ImageSource] {
        switch self {
        case .personalize(let spec): spec.images
        case .evaluate(let spec): spec.images
        case .generate, .compose, .probe: []
        }
    }

    /// The same job with other reference pictures: those of a message once they are in the artifact store.
    package func with(images: [ImageSource]) -> JobSpec {
        switch self {
        case .personalize(var spec):
            spec.images = images
            return .personalize(spec)
        case .evaluate(var spec):
            spec.images = images
            return .evaluate(spec)
        case .generate, .compose, .probe: return self
        }
    }

    /// The same job, any picture standing for each that is inside of it: for whoever only counts what it takes.
    package var withoutPictures: JobSpec {
        with(
            images: images.map { image in
                if case .data = image.content { ImageSource(ImageSource.any.content, crop: image.crop) } else { image }
            })
    }

    /// The concepts the job uses, wherever it names them.
    package var mentions: [ConceptMention] {
        switch self {
        case .probe: []
        case .personalize(let spec): spec.mentions
        case .generate(let spec): ConceptMention.all(in: spec.prompts)
        case .compose(let spec): spec.mentions
        case .evaluate(let spec): spec.mentions
        }
    }
}

/// The body of a message, of a row and of an order: one form.
extension JobSpec {
    static let version = 1
    /// The most bytes of a prompt; no other text of a job is as long.
    package static let mostPromptBytes = 1000

    /// The body. What was left out is left out again.
    package var json: JSONValue {
        let members =
            switch self {
            case .personalize(let spec): spec.members
            case .generate(let spec): spec.members
            case .compose(let spec): spec.members
            case .evaluate(let spec): spec.members
            case .probe: [String: JSONValue]()
            }
        let common: [String: JSONValue] = ["version": .integer(Self.version), "kind": .string(kind.rawValue)]
        return .object(common.merging(members) { $1 })
    }

    /// Validates a body. Throws `Problems` with every problem in it.
    /// - Parameters:
    ///   - models: those it may name; what was accepted before is not held against them again.
    ///   - isAccepted: whether it was accepted before, perhaps by a version that let more stand in prompts; what looks
    ///     like a mention in them, or a blank, is drawn as it stands then.
    package init(body data: Data, models: ModelChoice = .any, isAccepted: Bool = false) throws {
        try self.init(Self.parsed(data), models: models, isAccepted: isAccepted)
    }

    /// The same for parsed JSON.
    package init(_ body: JSONValue, models: ModelChoice = .any, isAccepted: Bool = false) throws {
        guard case .object = body else { throw Problems([Problem("", found: body.brief, allowed: "a JSON object")]) }
        var reader = SpecReader(body: body, models: models, isAccepted: isAccepted)
        let kind = reader.kind()
        reader.version()
        let spec: JobSpec? =
            switch kind {
            case .personalize: PersonalizeSpec(&reader).map(JobSpec.personalize)
            case .generate: GenerateSpec(&reader).map(JobSpec.generate)
            case .compose: ComposeSpec(&reader).map(JobSpec.compose)
            case .evaluate: EvaluateSpec(&reader).map(JobSpec.evaluate)
            case .probe: reader.probe()
            case nil: nil
            }
        guard let spec, reader.problems.isEmpty else { throw Problems(reader.problems) }
        self = spec
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
        return try StrictJSON.value(of: data)
    }
}

extension JobSpec: Codable {
    /// The body of an order, whose job was accepted before; validated all the same.
    /// - Throws: `Problems` with everything that is wrong with it.
    package init(from decoder: any Decoder) throws { try self.init(JSONValue(from: decoder), isAccepted: true) }
    /// The body, what was left out left out again.
    /// - Throws: what the encoder does.
    package func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

extension JobSpec {
    /// How long the id of a job's message may be, in bytes of UTF-8.
    package static let messageIDBytes = 1...128
}
