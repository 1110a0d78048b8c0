import Foundation
import Jobs
import SchemaTesting
import Testing

/// The schema of jobs in `ops/schemas`, held against the door that checks them.
@Suite struct SchemaTests {
    static let folder =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path + "/ops/schemas"
    /// Of any host.
    let schema: JSONSchema
    /// Of one with the pocket models.
    let own: JSONSchema

    init() throws {
        schema = try JSONSchema(path: Self.folder + "/job.json")
        own = JSONSchema(JobSchema(models: Array(JobSpecTests.models.models.values)).document)
    }

    @Test func theFileIsWhatTheProgramSays() throws {
        let file = try JSONValue(json: try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/job.json")))
        let document = try JSONValue(json: JobSchema().document.line)
        #expect(file == document, "write it anew: atelierctl schema --any-model > ops/schemas/job.json")
    }

    private static let personalize: JSONValue = [
        "version": 1, "kind": "personalize", "concept": ["name": "rex", "role": "subject", "class": "dog"],
        "method": "arbooth", "model": "pocket-infinity",
        "images": [["png": "iVBORw0KGgo="], ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]],
        "prompts": ["a <rex> dog"], "seed": 7,
    ]
    private static let generate: JSONValue = [
        "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["a dog"], "images_per_prompt": 2,
    ]
    private static let compose: JSONValue = [
        "version": 1, "kind": "compose", "model": "pocket-chameleon", "subject": "rex", "style": "woodcut",
        "prompts": ["<rex> in <woodcut>"], "images_per_prompt": 4,
    ]
    private static let style: JSONValue = [
        "version": 1, "kind": "personalize", "concept": ["name": "woodcut", "role": "style"], "method": "coar",
        "model": "pocket-chameleon",
        "images": [["png": "iVBORw0KGgo="]], "options": ["prompt": "a picture in {concept}", "layers": 3],
    ]
    private static let evaluate: JSONValue = [
        "version": 1, "kind": "evaluate", "model": "pocket-infinity", "concepts": ["rex"], "suite": "little-world",
        "images": [["png": "iVBORw0KGgo="]], "seeds": [1, 2],
    ]
    private static let probe: JSONValue = ["version": 1, "kind": "probe"]

    @Test(arguments: [personalize, style, generate, compose, evaluate, probe]) func bothAcceptWhatIsRight(
        _ body: JSONValue
    ) throws {
        #expect(try schema.problems(in: body) == [] && own.problems(in: body) == [])
        #expect(throws: Never.self) { try JobSpec(body, models: JobSpecTests.models) }
    }

    /// One thing wrong with a right job.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let body: JSONValue
        let pointer: String
        let value: JSONValue?
        var testDescription: String { "\(body["kind"]?.string ?? "") \(pointer) \(value?.brief ?? "missing")" }

        /// The job with the mistake in it.
        var wrong: JSONValue { Self.setting(value, at: pointer.split(separator: "/").map(String.init)[...], in: body) }

        private static func setting(_ value: JSONValue?, at path: ArraySlice<String>, in body: JSONValue) -> JSONValue {
            guard let name = path.first else { return value ?? .null }
            switch body {
            case .object(var members):
                members[name] = path.count == 1 ? value : setting(value, at: path.dropFirst(), in: members[name] ?? [:])
                return .object(members)
            case .array(var elements):
                let index = Int(name)!
                if index == elements.count { elements.append(.null) }
                elements[index] = setting(value, at: path.dropFirst(), in: elements[index])
                return .array(elements)
            default: return body
            }
        }
    }

    static let mistakes: [Mistake] = {
        func each(_ body: JSONValue, _ list: [(String, JSONValue?)]) -> [Mistake] {
            list.map { Mistake(body: body, pointer: $0, value: $1) }
        }
        return each(
            personalize,
            [
                ("/version", nil), ("/version", 2), ("/version", "1"), ("/kind", nil), ("/kind", "paint"),
                ("/colour", "red"), ("/concept", nil), ("/concept", "rex"),
                ("/concept/name", "Rex"), ("/concept/name", nil), ("/concept/role", "person"), ("/concept/class", nil),
                ("/concept/class", "<dog>"), ("/concept/class", "dog "), ("/concept/class", "toy  dog"),
                ("/concept/class", .string(String(repeating: "d", count: 65))), ("/concept/age", 3),
                ("/method", nil), ("/method", "magic"), ("/model", "gpt"), ("/images", nil), ("/images", []),
                ("/images", "x"), ("/images/0", "x"), ("/images/0", [:]),
                ("/images/0/png", "R0lGODlh"), ("/images/0/url", "http://x"), ("/images/1/artifact", "sha256:zz"),
                ("/prompts", "x"), ("/prompts/0", ""), ("/prompts/0", 3),
                ("/prompts/0", "a\u{0}b"), ("/seed", -1), ("/seed", "7"), ("/seed", 1.5), ("/options", []),
                ("/options/colour", 3), ("/options/iterations", 0),
                ("/options/iterations", 1.5), ("/options/learning_rate", 2.0), ("/options/tuning", "half"),
                ("/options/distillation", 1),
            ])
            + each(
                generate,
                [
                    ("/prompts", nil), ("/prompts", []), ("/images_per_prompt", 0), ("/images_per_prompt", 17),
                    ("/concept", [:]), ("/model", nil), ("/options/guidance", 31),
                    ("/options/guidance", []), ("/options/temperature", ["x"]), ("/options/iterations", 3),
                ])
            + each(
                style,
                [
                    ("/method", "arbooth"), ("/model", "pocket-infinity"), ("/options/prompt", "a picture"),
                    ("/options/prompt", 3), ("/options/rank", 3),
                ])
            + each(
                compose,
                [
                    ("/model", "pocket-infinity"), ("/subject", nil), ("/style", "<x>"), ("/style", 3),
                    ("/method", "coar"), ("/options/top_k", 0), ("/prompts", nil),
                ])
            + each(
                evaluate,
                [
                    ("/concepts", nil), ("/concepts", []), ("/concepts/0", "Rex"), ("/concepts/1", "max"),
                    ("/suite", nil), ("/suite", "mine"), ("/prompts", ["a {concept}"]),
                    ("/seed", 3), ("/seeds", []), ("/seeds/0", -1), ("/options/clip", "../x"),
                    ("/options/class_pictures", 65), ("/model", "gpt"),
                ]) + each(probe, [("/model", "pocket-infinity"), ("/seed", 1)])
    }()

    @Test(arguments: mistakes) func bothRefuseWhatIsWrong(_ mistake: Mistake) throws {
        #expect(throws: Problems.self) { try JobSpec(mistake.wrong, models: JobSpecTests.models) }
        #expect(try !own.problems(in: mistake.wrong).isEmpty)
        // Where any model will do, only what names one is no mistake.
        let isOfModel = mistake.pointer == "/model" && mistake.value?.string != nil
        if !isOfModel && mistake.pointer != "/method" {
            #expect(throws: Problems.self) { try JobSpec(mistake.wrong) }
            #expect(try !schema.problems(in: mistake.wrong).isEmpty)
        }
    }

    @Test func everyOptionIsThereWithItsValuesAndItsDefault() throws {
        let methods = PersonalizationMethod.allCases.flatMap { method in
            method.roles.map { (JobSchema.name(of: method, $0), method.options(for: $0)) }
        }
        for (name, table) in methods + ModelFamily.drawing.map({ (JobSchema.drawing(on: $0), $0.drawing!) }) + [
            ("evaluation", .evaluation)
        ] {
            for row in table.rows {
                let part = try schema.part("#/$defs/\(name.replacing(" ", with: "%20"))/properties/\(row.name)")
                let standard = try JSONValue(json: row.standard.line)
                #expect(
                    part["description"]?.string == row.meaning && (part["default"] ?? .null) == standard,
                    "\(name) \(row.name)")
            }
        }
    }

    @Test func theValidatorKnowsWhatItChecks() throws {
        #expect(try JSONSchema(path: Self.folder + "/control.json").problems(in: ["action": "pause"]).isEmpty)
        #expect(
            try JSONSchema(path: Self.folder + "/control.json").problems(in: ["action": "resume", "written": true])
                .isEmpty)
        #expect(
            try !JSONSchema(path: Self.folder + "/control.json").problems(in: ["action": "cancel", "job": "7"]).isEmpty)
        let question: JSONValue = [
            "action": "estimate", "job": [:], "concepts": false, "adapters": ["rex": ["method": "coar", "bytes": 9]],
        ]
        #expect(try JSONSchema(path: Self.folder + "/control.json").problems(in: question).isEmpty)
        let folder = NSTemporaryDirectory() + UUID().uuidString + ".json"
        defer { unlink(folder) }
        try Data(#"{"type":"string","maxBananas":3}"#.utf8).write(to: URL(fileURLWithPath: folder))
        #expect(throws: JSONSchema.Unusable.self) { try JSONSchema(path: folder).problems(in: "x") }
    }
}
