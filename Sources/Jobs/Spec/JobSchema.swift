/// The JSON Schema (2020-12) of a job's body, made from what the door itself checks with: kinds, methods, the tables of
/// options, and the models that are installed. `atelierctl schema` prints it; `ops/schemas/job.json` is that of any
/// host, whatever models it has.
///
/// It says all that a schema can say: that a prompt names only the concept its job learns, and how many bytes a text
/// may take, the door alone checks.
package struct JobSchema {
    /// The models that jobs may name; nil: any, by a name.
    private let models: [ModelDescription]?

    /// The schema where these models are installed; nil: valid for any.
    package init(models: [ModelDescription]? = nil) { self.models = models?.sorted { $0.name < $1.name } }

    /// The document.
    package var document: JSONValue {
        let kinds = JobKind.allCases
        var definitions = Dictionary(uniqueKeysWithValues: kinds.map { ($0.rawValue, body(of: $0)) })
        for method in PersonalizationMethod.allCases {
            for role in method.roles { definitions[Self.name(of: method, role)] = options(method.options(for: role)) }
        }
        definitions["evaluation"] = options(.evaluation)
        for family in ModelFamily.drawing { definitions[Self.drawing(on: family)] = options(family.drawing!) }
        definitions["concept"] = concept()
        definitions["concept of several"] = conceptOfSeveral
        definitions["name"] = [
            "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$",
            "description": "how prompts call a concept: <name>",
        ]
        definitions["reference"] = [
            "type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}(@[1-9][0-9]{0,8})?$",
            "description": "a concept that was learnt: name, or name@version; the newest version unless said",
        ]
        definitions["image"] = image
        definitions["prompt"] = [
            "type": "string", "minLength": 1, "maxLength": .integer(JobSpec.mostPromptBytes),
            "pattern": "^[^\\u0000]*$",
            "description": .string("at most \(JobSpec.mostPromptBytes) bytes of UTF-8"),
        ]
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:atelier:schemas:job",
            "title": "A job's body, version 1",
            "type": "object", "required": ["version", "kind"],
            "oneOf": .array(kinds.map { reference($0.rawValue) }), "$defs": .object(definitions),
        ]
    }

    /// What the options of a method are called among the definitions.
    package static func name(of method: PersonalizationMethod, _ role: ConceptRole) -> String {
        "\(method.rawValue) of a \(role.rawValue)"
    }

    /// What the options of drawing with a family's models are called among the definitions.
    package static func drawing(on family: ModelFamily) -> String { "drawing on \(family.rawValue)" }

    /// A model's name: one of those that fit, or any.
    private func model(_ fits: (ModelFamily) -> Bool) -> JSONValue {
        guard let models else { return ["type": "string", "pattern": .string(Self.namePattern)] }
        return ["enum": .array(models.filter { fits($0.family) }.map { .string($0.name) })]
    }

    private static let namePattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

    /// Models have the options of their family; of any model they are some family's.
    private func drawingOptions(_ fits: (ModelFamily) -> Bool) -> [JSONValue] {
        guard let models else {
            let families = ModelFamily.drawing.filter(fits).map { reference(Self.drawing(on: $0)) }
            return [["properties": ["options": ["anyOf": .array(families)]]]]
        }
        return models.filter { fits($0.family) }.map {
            when(
                ["model": ["const": .string($0.name)]], then: ["options": reference(Self.drawing(on: $0.family))])
        }
    }

    private func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/$defs/" + name.replacing(" ", with: "%20"))]
    }

    private func body(of kind: JobKind) -> JSONValue {
        switch kind {
        case .personalize:
            body(
                kind, "learn a concept from pictures, or several into one adapter", required: ["method", "model"],
                [
                    "concept": reference("concept"),
                    "concepts": list(of: reference("concept of several"), 1...8),
                    "method": choice(PersonalizationMethod.allCases),
                    "model": model(\.draws),
                    "images": list(of: reference("image"), 1...32), "prompts": list(of: reference("prompt"), 0...64),
                    "seed": seed, "options": ["type": "object"],
                    "preview_every": integer(1...20_000), "continue_from": reference("reference"),
                    "attach": attached,
                ], PersonalizationMethod.allCases.flatMap(conditions) + [Self.several] + supervisors)
        case .generate:
            body(
                kind, "draw pictures", required: ["model", "prompts"],
                sized(drawing(on: \.draws)).merging(["strengths": Self.strengths, "attach": attached]) { $1 },
                drawingOptions(\.draws))
        case .compose:
            body(
                kind, "draw a subject in a style", required: ["model", "subject", "style", "prompts"],
                sized(drawing(on: \.composes)).merging([
                    "subject": reference("reference"), "style": reference("reference"), "attach": attached,
                ]) { $1 },
                drawingOptions(\.composes))
        case .evaluate:
            body(
                kind, "measure concepts over a suite of prompts, or over prompts of the job's own",
                required: ["model", "concepts"],
                drawing(on: \.draws).merging([
                    "concepts": list(of: reference("reference"), 1...16),
                    "suite": choice(SuiteName.allCases),
                    "images": list(of: reference("image"), 1...32), "seeds": list(of: seed, 1...16),
                    "options": reference("evaluation"),
                ]) { $1 },
                [
                    ["oneOf": [["required": ["suite"]], ["required": ["prompts"]]]],
                    ["if": ["required": ["images"]], "then": ["properties": ["concepts": ["maxItems": 1]]]],
                    ["if": ["required": ["seeds"]], "then": ["properties": ["seed": false]]],
                ])
        case .probe: body(kind, "go the whole way without an engine", required: [], [:])
        }
    }

    private func sized(_ members: [String: JSONValue]) -> [String: JSONValue] {
        let size: JSONValue = [
            "type": "string", "pattern": "^[1-9][0-9]{0,4}[x×][1-9][0-9]{0,4}$",
            "description": "width and height of pictures, drawn so or cut to it; the model's usual one unless given",
        ]
        return members.merging(["size": size]) { $1 }
    }

    private func drawing(on fits: (ModelFamily) -> Bool) -> [String: JSONValue] {
        [
            "model": model(fits), "prompts": list(of: reference("prompt"), 1...64),
            "images_per_prompt": integer(1...16), "seed": seed,
            "options": ["type": "object"],
        ]
    }

    /// A method has its models, by their families, and roles, and for each role its options.
    private func conditions(_ method: PersonalizationMethod) -> [JSONValue] {
        let isMethod: JSONValue = ["const": .string(method.rawValue)]
        var limits: [String: JSONValue] = [
            "model": model(method.families.contains), "concept": ["properties": ["role": choice(method.roles)]],
        ]
        if method == .proxyTuning { for name in ["preview_every", "continue_from"] { limits[name] = false } }
        return [when(["method": isMethod], then: limits)]
            + method.roles.flatMap { role -> [JSONValue] in
                let isRole: JSONValue = [
                    "required": ["role"], "properties": ["role": ["const": .string(role.rawValue)]],
                ]
                let options = ["options": reference(Self.name(of: method, role))]
                let one = when(["method": isMethod, "concept": isRole], then: options)
                let several = when(["method": isMethod, "concepts": ["items": isRole]], then: options)
                return method.learnsSeveral ? [one, several] : [one]
            }
    }

    /// By whom students of each model are taught; of any host nobody knows which there are.
    private var supervisors: [JSONValue] {
        let families = PersonalizationMethod.proxyTuning.families
        return (models ?? []).filter { families.contains($0.family) }.map(supervision)
    }

    /// Where proxies are drawn for a student, it is a diffusion model that draws what the student reads, and one that
    /// is not the usual one must be named.
    private func supervision(of student: ModelDescription) -> JSONValue {
        let fitting = (models ?? []).filter { model in
            model.family == .diffusion && student.pictures.first.map(model.draws) != false
        }
        let names = fitting.map { JSONValue.string($0.name) }
        let options: JSONValue = ["properties": ["supervisor": ["enum": .array(names)]]]
        let given: JSONValue = ["properties": ["options": options]]
        let named: JSONValue = [
            "required": ["options"], "properties": ["options": options.adding("required", ["supervisor"])],
        ]
        let isUsualThere = OptionTable.proxyTuning.standard("supervisor").map { names.contains($0) } == true
        return [
            "if": [
                "required": ["method", "model"],
                "properties": [
                    "method": ["const": .string(PersonalizationMethod.proxyTuning.rawValue)],
                    "model": ["const": .string(student.name)],
                ],
            ],
            "then": [
                "if": ["anyOf": [Self.reusing, Self.reusingEach]], "else": isUsualThere ? given : named,
            ],
        ]
    }

    private func when(_ properties: [String: JSONValue], then consequences: [String: JSONValue]) -> JSONValue {
        [
            "if": [
                "properties": .object(properties), "required": .array(properties.keys.sorted().map(JSONValue.string)),
            ],
            "then": ["properties": .object(consequences)],
        ]
    }

    private func body(
        _ kind: JobKind, _ meaning: String, required: [String], _ properties: [String: JSONValue],
        _ conditions: [JSONValue] = []
    ) -> JSONValue {
        let common: [String: JSONValue] = ["version": ["const": 1], "kind": ["const": .string(kind.rawValue)]]
        var members: [String: JSONValue] = [
            "description": .string(meaning), "type": "object",
            "required": .array((["version", "kind"] + required).map(JSONValue.string)),
            "properties": .object(common.merging(properties) { $1 }), "additionalProperties": false,
        ]
        if !conditions.isEmpty { members["allOf"] = .array(conditions) }
        return .object(members)
    }

    private func choice(_ words: [some RawRepresentable<String>]) -> JSONValue {
        ["enum": .array(words.map { .string($0.rawValue) })]
    }

    private func list(of element: JSONValue, _ count: ClosedRange<Int>) -> JSONValue {
        [
            "type": "array", "items": element, "minItems": .integer(count.lowerBound),
            "maxItems": .integer(count.upperBound),
        ]
    }

    private func integer(_ range: ClosedRange<Int>) -> JSONValue {
        ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
    }

    private func number(_ range: ClosedRange<Double>) -> JSONValue {
        ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    private var seed: JSONValue { integer(0...Int.max) }

    private var attached: JSONValue {
        [
            "type": "array", "minItems": 1, "maxItems": .integer(AttachedRole.allCases.count),
            "items": choice(AttachedRole.allCases),
            "description": "artifacts that the outcome carries as base64, as far as the daemon's attachMiB allows",
        ]
    }

    /// By what the prompts call a concept.
    private static let strengths: JSONValue = [
        "type": "object", "additionalProperties": ["type": "number", "minimum": 0, "maximum": 2],
        "description": "how much of what was learnt of a concept acts: 0 nothing, 1 all of it",
    ]

    /// A concept, with what else may be said of it.
    private func concept(_ more: [String: JSONValue] = [:]) -> JSONValue {
        let members: [String: JSONValue] = [
            "name": reference("name"), "role": choice(ConceptRole.allCases),
            "class": [
                "type": "string", "pattern": "^[A-Za-z]+([ -][A-Za-z]+)*$", "maxLength": 64,
                "description": "what it is one of: dog",
            ],
        ]
        return [
            "type": "object", "required": ["name", "role"], "additionalProperties": false,
            "properties": .object(members.merging(more) { $1 }),
            "if": ["properties": ["role": ["const": "subject"]], "required": ["role"]], "then": ["required": ["class"]],
        ]
    }

    /// One concept with all pictures, or with another job's proxies; or several with some each, by a method that can.
    private static let several: JSONValue = [
        "if": ["required": ["concepts"]],
        "then": [
            "properties": [
                "concept": false,
                "method": [
                    "enum": .array(
                        PersonalizationMethod.allCases.filter(\.learnsSeveral).map { .string($0.rawValue) })
                ],
            ],
            "allOf": [placed, taught],
        ],
        "else": ["required": ["concept"], "anyOf": [["required": ["images"]], reusing]],
    ]

    /// Places are in the job's list.
    private static let placed: JSONValue = [
        "anyOf": [
            ["required": ["images"]], ["properties": ["concepts": ["items": ["properties": ["images": false]]]]],
        ]
    ]

    /// Each of several concepts has something to learn from.
    private static let taught: JSONValue = [
        "anyOf": [
            [
                "properties": [
                    "concepts": ["items": ["anyOf": [["required": ["images"]], ["required": ["proxies"]]]]]
                ]
            ],
            reusing,
        ]
    ]

    /// A job whose options name the job that drew its proxies.
    private static let reusing: JSONValue = [
        "required": ["options"],
        "properties": [
            "method": ["const": .string(PersonalizationMethod.proxyTuning.rawValue)],
            "options": ["required": ["proxies"], "properties": ["proxies": ["type": "object"]]],
        ],
    ]

    /// A job each of whose concepts names the job that drew its proxies.
    private static let reusingEach: JSONValue = [
        "required": ["concepts"], "properties": ["concepts": ["items": ["required": ["proxies"]]]],
    ]

    private var conceptOfSeveral: JSONValue {
        let images: JSONValue = [
            "type": "array", "items": integer(0...31), "minItems": 1,
            "description": "places in the job's images, counted from 0",
        ]
        let roles = PersonalizationMethod.allCases.filter(\.learnsSeveral).flatMap(\.roles)
        return concept(["images": images, "proxies": proxySource, "role": choice(roles)])
    }

    private var proxySource: JSONValue {
        [
            "type": "object", "required": ["job"], "additionalProperties": false,
            "properties": [
                "job": [
                    "type": "string",
                    "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
                ]
            ],
            "description": "the job that drew them",
        ]
    }

    private var image: JSONValue {
        func file(_ type: String, _ pattern: String) -> JSONValue {
            [
                "type": "string", "contentEncoding": "base64", "contentMediaType": .string(type),
                "pattern": .string(pattern),
            ]
        }
        let fraction = number(0...1)
        return [
            "description": """
            a PNG (in png), a PNG, JPEG or WebP (in data) of at most 16 MiB, or an artifact that is in the store
            """,
            "type": "object", "additionalProperties": false,
            "properties": [
                "png": file("image/png", "^iVBORw0KGg"), "data": file("image/*", "^(iVBORw0KGg|/9j/|UklGR)"),
                "artifact": ["type": "string", "pattern": "^sha256:[0-9a-f]{64}$"],
                "crop": [
                    "description": "the part that counts, in fractions of the upright picture", "type": "object",
                    "required": ["left", "top", "width", "height"], "additionalProperties": false,
                    "properties": ["left": fraction, "top": fraction, "width": fraction, "height": fraction],
                ],
            ],
            "oneOf": [["required": ["png"]], ["required": ["data"]], ["required": ["artifact"]]],
        ]
    }

    private func options(_ table: OptionTable) -> JSONValue {
        let rows = table.rows.map { row -> (String, JSONValue) in
            guard case .object(var members) = values(of: row) else { return (row.name, true) }
            members["description"] = .string(row.meaning)
            if row.standard != .null { members["default"] = row.standard }
            return (row.name, .object(members))
        }
        return [
            "type": "object", "additionalProperties": false,
            "properties": .object(Dictionary(uniqueKeysWithValues: rows)),
        ]
    }

    private func values(of option: JobOption) -> JSONValue {
        switch option.values {
        case .integers(let range): integer(range)
        case .numbers(let range): number(range)
        case .numbersByScale(let range):
            ["anyOf": [number(range), ["type": "array", "minItems": 1, "items": number(range)]]]
        case .flag: ["type": "boolean"]
        case .model: ["type": "string", "pattern": .string(Self.namePattern)]
        case .texts(let count, let bytes):
            list(of: ["type": "string", "minLength": 1, "maxLength": .integer(bytes.upperBound)], count)
        case .countOrJob(let range): ["anyOf": [integer(range), proxySource]]
        case .choice(let words): ["enum": .array(words.map(JSONValue.string))]
        case .text(let length, let word):
            [
                "type": "string", "maxLength": .integer(length.upperBound),
                "pattern": .string(word.replacing("{", with: "\\{").replacing("}", with: "\\}")),
            ]
        }
    }
}
