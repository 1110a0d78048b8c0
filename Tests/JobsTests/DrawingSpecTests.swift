import Foundation
import Jobs
import SchemaTesting
import Testing

/// What the door says to strengths, previews, trainings that go on and artifacts that outcomes shall carry.
@Suite struct DrawingSpecTests {
    private static let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]

    private static func generate(_ changes: [String: JSONValue]) -> JSONValue {
        let members: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["a <rex> dog with <mia@2>"],
        ]
        return .object(members.merging(changes) { $1 })
    }

    private static func personalize(_ changes: [String: JSONValue]) -> JSONValue {
        let members: [String: JSONValue] = [
            "version": 1, "kind": "personalize", "method": "arbooth", "model": "pocket-infinity", "images": [picture],
            "concept": ["name": "rex", "role": "subject", "class": "dog"],
        ]
        return .object(members.merging(changes) { $1 })
    }

    static let right: [JSONValue] = [
        generate(["strengths": ["rex": 0.5, "mia@2": 1.5]]), generate(["attach": ["picture"]]),
        personalize(["preview_every": 50, "continue_from": "rex", "attach": ["adapter", "picture"]]),
        personalize(["continue_from": "rex@3"]),
    ]

    @Test(arguments: right) func whatIsRightIsAcceptedAndWrittenAsItCame(_ body: JSONValue) throws {
        let spec = try JobSpec(body)
        #expect(try JobSpec(spec.json) == spec && spec.json == body)
        #expect(try JSONSchema(JobSchema().document).problems(in: body) == [])
    }

    static let wrong: [(JSONValue, String)] = [
        (generate(["strengths": ["mia": 0.5]]), "/strengths/mia"),
        (generate(["strengths": ["rex": 3]]), "/strengths/rex"),
        (generate(["strengths": 1]), "/strengths"), (generate(["attach": ["sheet"]]), "/attach"),
        (generate(["attach": []]), "/attach"), (generate(["preview_every": 5]), "/preview_every"),
        (personalize(["preview_every": 0]), "/preview_every"),
        (personalize(["continue_from": "<rex>"]), "/continue_from"),
        (
            personalize(["method": "proxy-tuning", "continue_from": "rex", "options": [:]]), "/continue_from"
        ),
    ]

    @Test(arguments: wrong) func whatIsWrongIsNamed(_ body: JSONValue, _ pointer: String) {
        #expect(
            performing: { _ = try JobSpec(body) },
            throws: { error in (error as? Problems)?.list.contains { $0.pointer == pointer } ?? false })
    }

    @Test func aTrainingThatGoesOnNamesItsConcept() throws {
        let spec = try JobSpec(Self.personalize(["continue_from": "rex@3"]))
        #expect(spec.mentions.map(\.key) == ["rex@3"] && spec.mentions[0].role == .subject)
    }
}
