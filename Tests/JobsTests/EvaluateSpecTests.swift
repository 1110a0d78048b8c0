import Foundation
import Jobs
import Testing

/// What is an `evaluate` job, and what is told to who sent none.
@Suite struct EvaluateSpecTests {
    private func body(_ members: String) -> Data {
        Data(#"{"version":1,"kind":"evaluate","model":"pocket-infinity",\#(members)}"#.utf8)
    }

    private func pointers(_ members: String) -> [String] {
        do {
            _ = try JobSpec(body: body(members), models: JobSpecTests.models)
            return []
        } catch { return (error as? Problems)?.list.map(\.pointer) ?? ["another error"] }
    }

    @Test func aSuiteIsEnough() throws {
        let job = try JobSpec(
            body: body(
                #"""
                "concepts":["rex","mia"],"suite":"dreambench-living","images_per_prompt":2,"seeds":[1,2,3],\#
                "options":{"dino":"dino-vits16"}
                """#
            ))
        guard case .evaluate(let spec) = job else {
            Issue.record("\(job.kind)")
            return
        }
        #expect(job.images.isEmpty && spec.prompts == .suite(.dreamBenchLiving) && spec.seeds == [1, 2, 3])
        #expect(
            job.mentions.map(\.name) == ["rex", "mia"]
                && job.mentions.map(\.pointer) == ["/concepts/0", "/concepts/1"])
    }

    @Test func ownPromptsAndReferencesAreEnough() throws {
        let picture = #"{"png":"\#(JobSpecTests.png)"}"#
        let job = try JobSpec(
            body: body(
                #"""
                "concepts":["rex"],"prompts":["a <rex> dog","a {concept} {class} in the \#
                snow"],"images":[\#(picture)],"seed":7
                """#
            ))
        guard case .evaluate(let spec) = job, case .own(let prompts) = spec.prompts else {
            Issue.record("\(job)")
            return
        }
        #expect(prompts.count == 2 && spec.images.count == 1)
    }

    @Test(arguments: [
        (#""suite":"little-world""#, ["/concepts"]), (#""concepts":[],"suite":"little-world""#, ["/concepts"]),
        (#""concepts":["rex","rex"],"suite":"little-world""#, ["/concepts/1"]),
        (#""concepts":["Rex!"],"suite":"little-world""#, ["/concepts/0"]),
        (#""concepts":["rex"]"#, ["/suite"]), (#""concepts":["rex"],"suite":"imagenet""#, ["/suite"]),
        (#""concepts":["rex"],"suite":"little-world","prompts":["a <rex>"]"#, ["/prompts"]),
        (#""concepts":["rex"],"prompts":["a dog"]"#, ["/prompts/0"]),
        (#""concepts":["rex"],"prompts":["a <rex> and a <mia>"]"#, ["/prompts/0"]),
        (#""concepts":["rex","mia"],"prompts":["a {concept} dog","a <rex> dog"]"#, ["/prompts/1"]),
        (#""concepts":["rex"],"suite":"little-world","seeds":[1,1]"#, ["/seeds"]),
        (#""concepts":["rex"],"suite":"little-world","seeds":[]"#, ["/seeds"]),
        (#""concepts":["rex"],"suite":"little-world","seeds":[1],"seed":2"#, ["/seed"]),
        (#""concepts":["rex"],"suite":"little-world","images_per_prompt":17"#, ["/images_per_prompt"]),
        (#""concepts":["rex"],"suite":"little-world","options":{"clip":"../clip"}"#, ["/options/clip"]),
        (#""concepts":["rex"],"suite":"little-world","options":{"class_pictures":-1}"#, ["/options/class_pictures"]),
        (
            #"""
            "concepts":["rex","mia"],"suite":"little-world","images":[{"artifact":"sha256:\#(JobSpecTests.digits)"}]
            """#,
            ["/images"]
        ),
        (#""concepts":["rex"],"suite":"little-world","method":"lora""#, ["/method"]),
    ])
    func problemsAreListed(members: String, expected: [String]) { #expect(pointers(members) == expected) }

    @Test func aWrongModelHidesNoEncoder() {
        let body: JSONValue = [
            "version": 1, "kind": "evaluate", "model": "gpt", "concepts": ["rex"], "suite": "little-world",
            "options": ["clip": "pocket-dino", "dino": "dino-vits16"],
        ]
        let error = #expect(throws: Problems.self) { try JobSpec(body, models: JobSpecTests.models) }
        #expect(error?.list.map(\.pointer) == ["/model", "/options/clip"])
    }
}
