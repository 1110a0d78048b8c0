import Foundation
import Jobs

/// A job's body, as it comes in a message.
enum JobBody: FuzzTarget {
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        do {
            let spec = try JobSpec(body: Data(buffer: bytes))
            // What is written into the table and given to the engine says the same again.
            guard let again = try? JobSpec(body: spec.json.line), again == spec else {
                fatalError("a job is another one when it is written down and read")
            }
            precondition(spec.mentions.allSatisfy { !$0.name.contains("/") })
        } catch let problems as Problems {
            precondition(
                !problems.list.isEmpty && problems.list.allSatisfy { !$0.allowed.isEmpty && $0.found.utf8.count < 1000 }
            )
        } catch { fatalError("\(error)") }
    }

    private static let png = "iVBORw0KGgo="
    private static let digits = String(repeating: "ab", count: 32)
    private static let references =
        #"[{"png":"\#(png)","crop":{"left":0,"top":0.25,"width":0.5,"height":0.75}},"#
        + #"{"data":"/9j/4AAQ"},{"artifact":"sha256:\#(digits)"}]"#

    static let seeds = [
        "arbooth":
            #"""
        {"version":1,"kind":"personalize","concept":{"name":"rex","role":"subject","class":"dog"},\#
        "method":"arbooth","model":"pocket-infinity","images":\#(references),"prompts":["a \#
        <rex> dog on the beach"],"seed":7,"options":{"iterations":600,"tuning":"full","scale_weighting":false}}
        """#,
        "coar":
            #"""
        {"version":1,"kind":"personalize","concept":{"name":"woodcut","role":"style"},"method":"coar",\#
        "model":"pocket-chameleon","images":[{"png":"\#(png)"}],"options":{"layers":3,"prompt":"a \#
        {concept} {class}","prior_weight":0.1}}
        """#,
        "lora":
            #"""
        {"version":1,"kind":"personalize","concept":{"name":"rex","role":"subject","class":"dog"},\#
        "method":"lora","model":"pocket-chameleon","images":[{"png":"\#(png)"}],"prompts":[],"options":{"rank":4,\#
        "alpha":8.5,"prior_preservation":true}}
        """#,
        "generate":
            #"""
        {"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a <rex> and \#
        <woodcut-2>","\u00e9\n\ud83d\ude00"],"images_per_prompt":16,"seed":9223372036854775807,\#
        "options":{"guidance":[1,2.5],"temperature":1e0}}
        """#,
        "compose":
            #"""
        {"version":1,"kind":"compose","model":"pocket-chameleon","subject":"rex","style":"woodcut","prompts":["in \#
        the snow","a <rex> dog"],"images_per_prompt":4,"seed":1,"options":{"identity_mask":false,"top_k":9}}
        """#,
        "suite":
            #"""
        {"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex","max"],\#
        "suite":"dreambench-living","images_per_prompt":4,"seeds":[1,2,3],"options":{"clip":"pocket-clip",\#
        "class_pictures":0}}
        """#,
        "evaluate":
            #"""
        {"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex"],"prompts":["a \#
        <rex>"],"seed":1,"images":\#(references)}
        """#,
        "probe": #"{"version":1,"kind":"probe"}"#,
        "wrong":
            #"""
        {"version":2,"kind":"personalize","concept":{"name":"Rex!","role":"pet","class":"","x":1},\#
        "method":"magic","model":"gpt","images":[{"png":"no"},{"artifact":"sha256:00"},{"url":"http://x"},7],\#
        "prompts":["",3],"seed":-1,"a/b~c":1}
        """#,
        "hostile":
            #"""
        {"'; drop table atelier.jobs; \#
        --":"<script>alert(1)</script>","\u001b[2J\u0007":"../../etc/passwd\u0000","\u202e":[[[[{}]]]],"":1e999}
        """#,
    ].mapValues { Array($0.utf8) }

    static var words: [String] {
        let tables =
            PersonalizationMethod.allCases.flatMap { method in method.roles.map { method.options(for: $0) } }
            + ModelFamily.allCases.compactMap(\.drawing) + [.evaluation]
        let fields = [
            "version", "kind", "concept", "name", "role", "class", "method", "model", "images", "png", "data",
            "artifact", "crop", "left", "top", "width", "height",
            "prompts", "seed", "seeds", "options", "subject",
            "style", "suite", "concepts", "images_per_prompt", "subject",
        ]
        let values =
            JobKind.allCases.map(\.rawValue) + PersonalizationMethod.allCases.map(\.rawValue)
            + ["pocket-infinity", "pocket-chameleon"] + SuiteName.allCases.map(\.rawValue)
        let members = Set(fields + values + tables.flatMap { $0.rows.map(\.name) }).sorted().map { "\"\($0)\"" }
        return members + [
            "null", "true", "false", "-1", "0.5", "1e308", "[]", "{}", "\\u0000", "\\ud800", "<rex>", "sha256:",
        ]
    }
}
