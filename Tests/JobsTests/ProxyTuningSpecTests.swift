import Foundation
import Jobs
import SchemaTesting
import Testing

/// What the door says to jobs of Proxy-Tuning.
@Suite struct ProxyTuningSpecTests {
    static let models = ModelChoice(
        Array(JobSpecTests.models.models.values) + [
            ModelDescription(
                family: .diffusion, name: "pocket-diffusion", pictures: [.init(width: 64, height: 64)], digest: "f"),
            ModelDescription(
                family: .diffusion, name: "large-diffusion", pictures: [.init(width: 1024, height: 1024)], digest: "g"),
        ])
    private static let picture: JSONValue = ["artifact": .string("sha256:" + String(repeating: "a", count: 64))]
    private static let job: JSONValue = ["job": "0b6e5b53-6b6a-4d0c-9d6e-3a8f6f3f2a10"]

    private static func body(_ changes: [String: JSONValue?] = [:]) -> JSONValue {
        var members: [String: JSONValue] = [
            "version": 1, "kind": "personalize", "method": "proxy-tuning", "model": "pocket-chameleon",
            "images": [picture, picture], "concept": ["name": "rex", "role": "subject", "class": "dog"],
        ]
        for (name, value) in changes { members[name] = value }
        return .object(members)
    }

    private static let rex: JSONValue = ["name": "rex", "role": "subject", "class": "dog", "images": [0]]
    private static func several(_ others: JSONValue...) -> JSONValue {
        body(["concept": nil, "concepts": .array([rex] + others)])
    }

    private static let mia: JSONValue = ["name": "mia", "role": "subject", "class": "cat", "images": [1]]
    private static let drawn: JSONValue = ["name": "mia", "role": "subject", "class": "cat", "proxies": job]

    private static let bare: JSONValue = ["name": "rex", "role": "subject", "class": "dog"]

    static let right: [JSONValue] = [
        body(), body(["options": ["supervisor": "pocket-diffusion", "proxies": 500, "contexts": ["on the beach"]]]),
        body(["options": ["proxies": job, "supervisor_optimizer": "prodigy"]]),
        body(["options": ["moments": "8-bit"]]),
        body(["options": ["proxies": job, "supervisor_optimizer": "prodigy", "moments": "8-bit"]]),
        several(["name": "mia", "role": "subject", "class": "cat", "images": [1]]),
        several(["name": "mia", "role": "subject", "class": "cat", "proxies": job]),
        body(["images": nil, "options": ["proxies": job]]),
        several(mia).adding("options", ["proxies": 9, "contexts": ["on the beach"]]),
        // A supervisor that draws nothing need not be there.
        body(["options": ["proxies": job, "supervisor": "none"]]),
        several(mia).adding("options", ["proxies": job, "supervisor": "none"]),
        body(["concept": nil, "concepts": [drawn], "images": nil, "options": ["supervisor": "none"]]),
        // One job's proxies for all that name none.
        body(["concept": nil, "concepts": [bare, drawn], "images": nil, "options": ["proxies": job]]),
        body(["concept": nil, "concepts": [bare, mia], "options": ["proxies": job]]),
    ]

    @Test(arguments: right) func whatIsRightIsAcceptedAndWrittenAsItCame(_ body: JSONValue) throws {
        let spec = try JobSpec(body, models: Self.models)
        #expect(try JobSpec(spec.json, models: Self.models) == spec && spec.json == body)
        #expect(try JSONSchema(JobSchema().document).problems(in: body) == [])
        #expect(try JSONSchema(JobSchema(models: Array(Self.models.models.values)).document).problems(in: body) == [])
    }

    static let wrong: [(JSONValue, [String])] = [
        (body(["options": ["supervisor": "pocket-infinity"]]), ["/options/supervisor"]),
        (body(["options": ["supervisor": "large-diffusion"]]), ["/options/supervisor"]),
        (body(["options": ["supervisor": "none"]]), ["/options/supervisor"]),
        (body(["options": ["distillation": true, "proxies": 0]]), ["/options/distillation", "/options/proxies"]),
        (body(["options": ["proxies": ["job": "x"]]]), ["/options/proxies"]),
        (body(["options": ["supervisor_optimizer": "prodigy", "moments": "8-bit"]]), ["/options/moments"]),
        (body(["options": ["contexts": ["", "on the beach"]]]), ["/options/contexts"]),
        (body(["options": ["contexts": ["on the beach", "beside a <rex> dog"]]]), ["/options/contexts/1"]),
        (body(["concept": ["name": "ink", "role": "style"]]), ["/concept/role"]),
        (several(["name": "ink", "role": "style", "images": [1]]), ["/concepts/1/role"]),
        (body(["images": nil]), ["/images"]), (body(["images": nil, "options": ["proxies": 9]]), ["/images"]),
        (body(["images": nil, "method": "lora", "options": ["proxies": job]]), ["/images", "/options/proxies"]),
        (body(["concept": nil, "concepts": [bare], "options": ["proxies": 9]]), ["/concepts/0/images"]),
        (body(["concept": bare.adding("proxies", job)]), ["/concept/proxies"]),
        (body(["concepts": [rex]]), ["/concept"]),
        (several(rex), ["/concepts/1/name"]),
        (several(["name": "mia", "role": "subject", "class": "cat"]), ["/concepts/1/images"]),
        (several(["name": "mia", "role": "subject", "class": "cat", "images": [2]]), ["/concepts/1/images/0"]),
        (
            several(["name": "mia", "role": "subject", "class": "cat", "proxies": 3, "images": [1], "age": 3]),
            ["/concepts/1/age", "/concepts/1/proxies"]
        ),
        (body(["method": "lora", "concept": nil, "concepts": [rex]]), ["/concepts"]),
        (body(["prompts": ["a <bob> dog"]]), ["/prompts/0"]),
    ]

    private static let both = ["/concepts/0/images/0", "/images"]

    static let wrongOfSeveral: [(JSONValue, [String])] = [
        (
            several().adding("options", ["scale_weighting": true, "proxies": 0]),
            ["/options/proxies", "/options/scale_weighting"]
        ),
        (several().adding("options", ["supervisor": "pocket-clip"]), ["/options/supervisor"]),
        (several().adding("images", nil), both),
        // A place among pictures that are not there.
        (several().adding("images", nil).adding("options", ["proxies": job]), ["/concepts/0/images/0"]),
        (body(["concept": nil, "concepts": [drawn.adding("images", [0])], "images": nil]), ["/concepts/0/images/0"]),
        (body(["preview_every": 50]), ["/preview_every"]), (body(["continue_from": "rex"]), ["/continue_from"]),
        (several().adding("preview_every", 50).adding("continue_from", "rex"), ["/continue_from", "/preview_every"]),
    ]

    private static let chameleon: JSONValue = ["supervisor": "pocket-chameleon"]
    private static let prodigy: JSONValue = ["supervisor_optimizer": "prodigy", "moments": "8-bit"]

    /// Several things: none hides another, and none is taken for one.
    static let wrongAtOnce: [(JSONValue, [String])] = [
        (
            body(["concept": ["role": "subject", "class": "dog"], "options": chameleon]),
            ["/concept/name", "/options/supervisor"]
        ),
        (body(["concept": nil, "options": chameleon]), ["/concept", "/options/supervisor"]),
        (body(["model": "pocket-clip", "options": chameleon]), ["/model", "/options/supervisor"]),
        (body(["model": "pocket-clip", "options": prodigy]), ["/model", "/options/moments"]),
        (body(["options": ["supervisor": "../x"]]), ["/options/supervisor"]),
        (body(["method": "magic", "options": ["iterations": 0]]), ["/method", "/options/iterations"]),
        (
            body(["concept": ["name": "rex", "role": "pet", "class": "dog"], "prompts": ["a <bob> dog"]]),
            ["/concept/role", "/prompts/0"]
        ),
        (several(mia.adding("name", "Mia").adding("images", [2])), ["/concepts/1/images/0", "/concepts/1/name"]),
        (several(mia.adding("name", "rex").adding("role", "pet")), ["/concepts/1/name", "/concepts/1/role"]),
        (
            body(["concept": nil, "concepts": [rex.adding("name", "Rex"), drawn], "images": nil]),
            ["/concepts/0/images/0", "/concepts/0/name", "/images"]
        ),
        (
            body(["concept": nil, "concepts": [drawn.adding("name", "Mia")], "images": nil]),
            ["/concepts/0/name"]
        ),
        (several(mia.adding("role", "pet")).adding("prompts", ["a <mia> cat"]), ["/concepts/1/role"]),
        (several(mia).adding("images", [["png": "no"], picture]), ["/images/0/png"]),
        (
            body(["method": "coar", "concept": ["role": "style"], "options": ["prompt": "a {concept} by <ink>"]]),
            ["/concept/name"]
        ),
    ]

    @Test(arguments: wrong + wrongOfSeveral + wrongAtOnce)
    func whatIsWrongIsNamedWithItsPlace(_ body: JSONValue, _ pointers: [String]) {
        #expect(Self.pointers(body, Self.models) == pointers)
    }

    private static func pointers(_ body: JSONValue, _ models: ModelChoice) -> [String] {
        do {
            _ = try JobSpec(body, models: models)
            return []
        } catch { return (error as? Problems)?.list.map(\.pointer).sorted() ?? ["another error"] }
    }

    @Test func whatStandsForPicturesIsSaid() throws {
        func problems(_ changes: [String: JSONValue?]) throws -> [Problem] {
            let error = #expect(throws: Problems.self) { try JobSpec(Self.body(changes), models: Self.models) }
            return try #require(error).list
        }
        let pictures = "a list of 1 to 32 pictures"
        #expect(
            try problems(["images": nil])
                == [Problem("/images", found: "nothing", allowed: "\(pictures), or proxies of a job")])
        #expect(
            try problems(["images": nil, "method": "lora"])
                == [Problem("/images", found: "nothing", allowed: pictures)])
        #expect(
            try problems(["concept": Self.bare.adding("proxies", Self.job)]) == [
                Problem(
                    "/concept/proxies", found: "an option", allowed: #"within options: {"options": {"proxies": …}}"#)
            ])
    }

    /// What the door alone checks: what texts mention, which names and places there are, by which rule a model learns.
    private static let unsaid: Set = [
        "/concepts/1/images/0", "/concepts/1/name", "/options/contexts/1", "/options/moments", "/prompts/0",
    ]

    @Test(arguments: wrong + wrongOfSeveral + wrongAtOnce)
    func theSchemasRefuseWhatTheDoorDoes(_ body: JSONValue, _ pointers: [String]) throws {
        let own = JobSchema(models: Array(Self.models.models.values))
        for (schema, models) in [(own, Self.models), (JobSchema(), ModelChoice.any)] {
            let pointers = Self.pointers(body, models)
            let problems = try JSONSchema(schema.document).problems(in: body)
            let isAlike = problems.isEmpty ? Self.unsaid.isSuperset(of: pointers) : !pointers.isEmpty
            #expect(isAlike, "\(pointers) \(problems)")
        }
    }

    /// Another must be named then, in the schema as at the door.
    @Test func theUsualSupervisorMayNotBeThere() throws {
        let other = ModelDescription(
            family: .diffusion, name: "other-diffusion", pictures: [.init(width: 64, height: 64)], digest: "o")
        let models = Array(JobSpecTests.models.models.values) + [other]
        let schema = JSONSchema(JobSchema(models: models).document)
        let expected: [(JSONValue, [String])] = [
            (Self.body(), ["/options/supervisor"]), (Self.body(["options": ["supervisor": "other-diffusion"]]), []),
            (Self.body(["options": ["proxies": Self.job]]), []),
        ]
        for (body, pointers) in expected {
            #expect(Self.pointers(body, ModelChoice(models)) == pointers)
            #expect(try schema.problems(in: body).isEmpty == pointers.isEmpty)
        }
    }

    /// The supervisor of one subject draws another as some unknown word.
    @Test func placesNameNoSubjectOfTheJob() throws {
        let two: JSONValue = [Self.rex, ["name": "mia", "role": "subject", "class": "cat", "images": [1]]]
        let body = Self.body(["concept": nil, "concepts": two, "options": ["contexts": ["beside <mia>"]]])
        let error = #expect(throws: Problems.self) { try JobSpec(body, models: Self.models) }
        #expect(
            error?.list == [
                Problem(
                    "/options/contexts/0", found: "<mia>", allowed: "no concept: each subject is drawn by itself there")
            ])
        // What was accepted before is done.
        #expect(throws: Never.self) { try JobSpec(body, models: Self.models, isAccepted: true) }
    }

    /// A supervisor whose usual rule is Prodigy, as FLUX.1's is.
    @Test func momentsInEightBitsAreNotProdigysWhoeverAsksForIt() {
        var flux = ModelDescription(
            family: .diffusion, name: "flux", pictures: [.init(width: 64, height: 64)], digest: "h")
        flux.training = ["supervisor": ["supervisor_optimizer": "prodigy"]]
        let models = ModelChoice(Array(Self.models.models.values) + [flux])
        let given: [String: JSONValue] = ["supervisor": "flux", "moments": "8-bit"]
        let refused = Self.body(["options": .object(given)])
        let error = #expect(throws: Problems.self) { try JobSpec(refused, models: models) }
        #expect(
            error?.list.map(\.description) == [
                "/options/moments: found 8-bit, where flux learns by Prodigy; allowed: 32-bit; or 8-bit with "
                    + "supervisor_optimizer adamw"
            ])
        let asked = Self.body(["options": .object(given.merging(["supervisor_optimizer": "adamw"]) { $1 })])
        #expect(throws: Never.self) { try JobSpec(asked, models: models) }
    }

    @Test func optionsOfDrawingAreIdleWhereNothingIsDrawn() throws {
        func idle(_ body: JSONValue) throws -> [String] {
            guard case .personalize(let spec) = try JobSpec(body, models: Self.models) else { return [] }
            return spec.idleOptions
        }
        let given: [String: JSONValue] = [
            "filter": 0.5, "contexts": ["on the beach"], "supervisor_alpha": 8, "supervisor_rank": 4, "rank": 4,
            "alpha": 8, "beta1": 0.9, "moments": "8-bit", "acts_on": "prompt", "supervisor_acts_on": "prompt",
        ]
        let drawing = ["contexts", "filter", "supervisor_acts_on", "supervisor_alpha", "supervisor_rank"]
        #expect(try idle(Self.body(["options": .object(given)])) == [])
        #expect(try idle(Self.body(["options": .object(given.merging(["proxies": Self.job]) { $1 })])) == drawing)
        let mia: JSONValue = ["name": "mia", "role": "subject", "class": "cat", "proxies": Self.job]
        let options = JSONValue.object(given.merging(["proxies": 100]) { $1 })
        let (reused, mixed): (JSONValue, JSONValue) = (.array([mia]), .array([Self.rex, mia]))
        #expect(
            try idle(Self.body(["concept": nil, "concepts": reused, "images": nil, "options": options]))
                == ["contexts", "filter", "proxies", "supervisor_acts_on", "supervisor_alpha", "supervisor_rank"])
        #expect(try idle(Self.body(["concept": nil, "concepts": mixed, "options": options])) == [])
    }

    @Test func aJobNeedsItsSupervisorUnlessItsProxiesAreThere() throws {
        #expect(Self.models.further(of: try JobSpec(Self.right[0], models: Self.models)) == ["pocket-diffusion@f"])
        #expect(Self.models.further(of: try JobSpec(Self.right[2], models: Self.models)) == [])
        let names = Self.wrong[1].0
        let error = #expect(throws: Problems.self) { try JobSpec(names, models: Self.models) }
        #expect(
            error?.list.map(\.description) == [
                "/options/supervisor: found large-diffusion, which draws 1024×1024; allowed: a diffusion model that "
                    + "draws 64×64, as pocket-chameleon does"
            ])
    }
}
