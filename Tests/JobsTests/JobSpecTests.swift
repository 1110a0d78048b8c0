import Foundation
import Jobs
import Testing

/// What is a job, and what is told to who sent none.
@Suite struct JobSpecTests {
    static let png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).base64EncodedString()
    static let digits = String(repeating: "ab", count: 32)
    static let valid = """
        {"version":1,"kind":"personalize","concept":{"name":"rex","role":"subject","class":"dog"},"method":"arbooth",\
        "model":"pocket-infinity",
        "images":[{"png":"\(png)"},{"artifact":"sha256:\(digits)"}],"prompts":["a <rex> dog on the \
        beach"],"seed":7,"options":{"iterations":600}}
        """

    /// One of every kind, with everything it can say and with as little as it may.
    static let bodies = [
        valid,
        #"{"version":1,"kind":"personalize","concept":{"name":"ink","role":"style"},"method":"coar","#
            + #""model":"pocket-chameleon","images":[{"png":"\#(png)"}]}"#,
        #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["a <rex> dog","é\n"],"#
            + #""images_per_prompt":16,"seed":9223372036854775807,"options":{"guidance":[1,2.5]}}"#,
        #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"]}"#,
        #"{"version":1,"kind":"compose","model":"pocket-chameleon","subject":"rex","style":"ink","prompts":["x"],"#
            + #""images_per_prompt":2,"seed":1,"options":{"identity_mask":false}}"#,
        #"{"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex","max"],"#
            + #""suite":"dreambench-living","images_per_prompt":4,"seeds":[1,2],"options":{"class_pictures":0}}"#,
        #"{"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex"],"prompts":["a <rex>"],"#
            + #""seed":1,"images":[{"artifact":"sha256:\#(digits)"}]}"#,
        #"{"version":1,"kind":"probe"}"#,
    ]

    /// What is written into the row says what the message said, to the letter: what was stored before reads the same.
    @Test(arguments: bodies) func aJobIsWrittenAsItCame(_ body: String) throws {
        let spec = try JobSpec(body: Data(body.utf8))
        #expect(try spec.json.line == JSONValue(json: Data(body.utf8)).line)
        #expect(try JobSpec(body: spec.json.line) == spec)
    }

    @Test func picturesBecomeArtifactsAndNothingElseChanges() throws {
        for body in Self.bodies {
            let spec = try JobSpec(body: Data(body.utf8))
            let stored = spec.with(images: spec.images.map { _ in .artifact(Self.digits) })
            #expect(stored.images == spec.images.map { _ in .artifact(Self.digits) } && stored.kind == spec.kind)
            #expect(stored.with(images: spec.images) == spec)
        }
    }

    /// What is installed.
    static let models = ModelChoice([
        ModelDescription(
            family: .infinity, name: "pocket-infinity", pictures: [.init(width: 64, height: 64)],
            limits: .init(promptTokens: 32, scales: 5, layers: 6),
            encoders: .init(clip: "pocket-clip", dino: "pocket-dino"), digest: "i"),
        ModelDescription(
            family: .chameleon, name: "pocket-chameleon", pictures: [.init(width: 64, height: 64)],
            limits: .init(promptTokens: 59, tokensPerConcept: 1, layers: 8, codes: 1024),
            encoders: .init(clip: "pocket-clip", dino: "pocket-dino"), digest: "c"),
        ModelDescription(family: .clip, name: "pocket-clip", pictures: [], digest: "p"),
        ModelDescription(family: .dino, name: "pocket-dino", pictures: [], digest: "d"),
        ModelDescription(family: .dino, name: "dino-vits16", pictures: [], digest: "v"),
    ])

    @Test func aModelIsOneThatIsThereAndFits() throws {
        let places: [(String, [String])] = [
            ("pocket-infinity", []), ("large-infinity", ["/model"]), ("pocket-clip", ["/model"]), ("../x", ["/model"]),
        ]
        for (name, expected) in places {
            #expect(
                pointers(#"{"version":1,"kind":"generate","model":"\#(name)","prompts":["x"]}"#) == expected, "\(name)")
        }
        let error = #expect(throws: Problems.self) {
            try JobSpec(["version": 1, "kind": "generate", "model": "gpt", "prompts": ["x"]], models: Self.models)
        }
        #expect(error?.list.map(\.allowed) == ["pocket-chameleon, pocket-infinity"])
        let none = #expect(throws: Problems.self) {
            try JobSpec(["version": 1, "kind": "generate", "model": "gpt", "prompts": ["x"]], models: ModelChoice([]))
        }
        #expect(none?.list.map(\.allowed) == ["no model: none that could do this is installed"])
    }

    @Test func whatWasAcceptedOnceIsReadWhateverIsInstalled() throws {
        for body in Self.bodies {
            let stored = body.replacing("pocket-infinity", with: "gone-infinity").replacing(
                "pocket-chameleon", with: "x")
            #expect(try JobSpec(body: Data(stored.utf8)).model != "pocket-infinity")
        }
    }

    @Test func anEvaluationNeedsItsEncodersToo() throws {
        func further(_ body: [String: JSONValue], _ models: ModelChoice) throws -> [String] {
            models.further(of: try JobSpec(.object(body)))
        }
        let drawing: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["x"],
        ]
        #expect(try further(drawing, Self.models) == [])
        let evaluation: [String: JSONValue] = [
            "version": 1, "kind": "evaluate", "model": "pocket-chameleon", "concepts": ["rex"], "suite": "little-world",
        ]
        #expect(try further(evaluation, Self.models) == ["pocket-clip@p", "pocket-dino@d"])
        let other = evaluation.merging(["options": ["dino": "dino-vits16"]]) { $1 }
        #expect(try further(other, Self.models) == ["pocket-clip@p", "dino-vits16@v"])
        let named = evaluation.merging(["options": ["clip": "a", "dino": "b"]]) { $1 }
        #expect(try further(named, .any) == ["a@", "b@"], "of files that nobody knows any will do")
    }

    private func pointers(_ body: String) -> [String] {
        do {
            _ = try JobSpec(body: Data(body.utf8), models: Self.models)
            return []
        } catch { return (error as? Problems)?.list.map(\.pointer).sorted() ?? ["another error"] }
    }

    @Test func theContractsExampleIsAJob() throws {
        let job = try JobSpec(body: Data(Self.valid.utf8))
        guard case .personalize(let spec) = job else {
            Issue.record("\(job.kind)")
            return
        }
        #expect(job.kind == .personalize && job.model == "pocket-infinity" && job.mentions == [])
        #expect(spec.concept.name == "rex" && spec.concept.role == .subject && spec.concept.className == "dog")
        #expect(spec.method == .arbooth && spec.seed == 7 && spec.options == ["iterations": 600])
        #expect(job.images == [.data(try #require(Data(base64Encoded: Self.png))), .artifact(Self.digits)])
    }

    @Test func everyProblemIsListed() {
        let body = """
            {"version":2,"kind":"personalize","concept":{"name":"Rex!","role":"pet","class":"","x":1},\
            "method":"magic","model":"gpt",
            "images":[{"png":"no"},{"artifact":"sha256:00"},{"url":"http://x"},7],"prompts":["",3],"seed":-1,"a/b~c":1}
            """
        #expect(
            pointers(body) == [
                "/a~1b~0c", "/concept/class", "/concept/name", "/concept/role", "/concept/x", "/images/0/png",
                "/images/1/artifact", "/images/2/url",
                "/images/3", "/method", "/model", "/prompts/0", "/prompts/1", "/seed", "/version",
            ])
    }

    @Test(arguments: ["", "nul", "[1,2]", "7", "\"text\"", "{", #"{"version":1"#])
    func whatIsNoObjectHasOneProblemAtTheRoot(_ body: String) {
        #expect(pointers(body) == [""])
    }

    @Test func deepNestingIsAProblemAndNoCrash() {
        #expect(pointers(String(repeating: "[", count: 200_000)) == [""])
    }

    @Test func jsonOfMillionsOfValuesIsRefusedUnparsed() throws {
        var before = rusage()
        var after = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &before)
        for (text, count) in [("[],", 4 << 20), ("{\"a\":[", 1 << 20), ("0,", 8 << 20)] {
            let body = Data(("[" + String(repeating: text, count: count)).utf8)
            let error = #expect(throws: Problems.self) { try JobSpec(body: body) }
            #expect(error?.list.map(\.allowed) == ["at most 10000 values, 32 deep"], "\(text)")
        }
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &after)
        #expect(after.ru_maxrss - before.ru_maxrss < 256 << 10, "KiB")
        // Brackets and commas in texts are no values.
        let prompt = String(repeating: "[,{", count: 300)
        #expect(
            pointers(#"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["\#(prompt)","\\\"[[["]}"#)
                == [])
    }

    /// Two would stand in prompts; what was accepted before is done.
    @Test(arguments: ["dog ", "toy  dog", "dog-"]) func aNounBringsNoBlankTooMany(_ noun: String) throws {
        let concept: JSONValue = ["name": "rex", "role": "subject", "class": .string(noun)]
        let body = try JSONValue(json: Data(Self.valid.utf8)).adding("concept", concept)
        let error = #expect(throws: Problems.self) { try JobSpec(body) }
        #expect(error?.list.map(\.pointer) == ["/concept/class"])
        #expect(try JobSpec(body, isAccepted: true).json["concept"] == concept)
    }

    @Test func everyProblemSaysWhatIsAllowed() throws {
        let error = #expect(throws: Problems.self) { try JobSpec(body: Data(#"{"version":1,"kind":"paint"}"#.utf8)) }
        let kind = try #require(error?.list.first { $0.pointer == "/kind" })
        #expect(kind.found == "\"paint\"" && kind.allowed == JobKind.allCases.map(\.rawValue).joined(separator: ", "))
    }

    @Test(arguments: [(0, false), (1, true), (16, true), (17, false)]) func picturesPerPromptAreBounded(
        _ count: Int, _ isAllowed: Bool
    ) {
        let body =
            #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"images_per_prompt":\#(count)}"#
        #expect(pointers(body) == (isAllowed ? [] : ["/images_per_prompt"]))
    }

    @Test func optionsAreHeldAgainstTheirMethods() {
        let unknown = Self.valid.replacing(#"{"iterations":600}"#, with: #"{"iteration":600,"batch":0,"guidance":3}"#)
        #expect(pointers(unknown) == ["/options/batch", "/options/guidance", "/options/iteration"])
        #expect(
            pointers(
                #"""
                {"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"options":{"iterations":5,\#
                "temperature":0}}
                """#
            )
                == ["/options/iterations", "/options/temperature"])
    }

    /// Whose they are is said with those that would do.
    @Test(arguments: [
        (
            #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"#
                + #""options":{"negative_prompt":"y"}}"#,
            "/options/negative_prompt: found an option of drawing on diffusion; allowed: adapters, "
                + "guidance, temperature, top_k, top_p"
        ),
        (
            #"{"version":1,"kind":"generate","model":"pocket-infinity","prompts":["x"],"options":{"rank":8}}"#,
            "/options/rank: found an option of lora, proxy-tuning; allowed: adapters, guidance, temperature, top_k, "
                + "top_p"
        ),
        (
            #"{"version":1,"kind":"evaluate","model":"pocket-infinity","concepts":["rex"],"suite":"little-world","#
                + #""options":{"identity_mask":true}}"#,
            "/options/identity_mask: found an option of drawing on chameleon; allowed: class_pictures, "
                + "clip, dino"
        ),
    ])
    func anOptionOfAnotherIsToldAsSuch(body: String, told: String) throws {
        let error = #expect(throws: Problems.self) { try JobSpec(body: Data(body.utf8), models: Self.models) }
        #expect(error?.description == told)
    }

    /// Both are said where they belong.
    @Test(arguments: [
        (
            valid.replacing(#""seed":7,"#, with: #""iterations":9,"#),
            #"/iterations: found an option; allowed: within options: {"options": {"iterations": …}}"#
        ),
        (
            #"{"version":1,"kind":"generate","model":"m","prompts":["x"],"negative_prompt":"y"}"#,
            #"/negative_prompt: found an option; allowed: within options: {"options": {"negative_prompt": …}}"#
        ),
        (
            #"{"version":1,"kind":"generate","model":"m","prompts":["x"],"iterations":9}"#,
            "/iterations: found an unknown field; allowed: version, kind, model, prompts, images_per_prompt, size, "
                + "seed, options, strengths, attach"
        ),
        (
            #"{"version":1,"kind":"evaluate","model":"m","concepts":["rex"],"suite":"little-world","#
                + #""options":{"seeds":[1]}}"#,
            "/options/seeds: found a field of the job; allowed: beside options, not within"
        ),
    ])
    func optionsAndFieldsInEachOthersPlace(body: String, told: String) throws {
        let error = #expect(throws: Problems.self) { try JobSpec(body: Data(body.utf8)) }
        #expect(error?.description == told)
    }

    @Test func aSampleMayOnlyNameTheConceptThatIsLearnt() {
        #expect(pointers(Self.valid.replacing("a <rex> dog", with: "a <rex> dog and a <max> cat")) == ["/prompts/0"])
    }

    @Test func conceptsAreFoundOnceAPromptAndInOrder() throws {
        let prompts = #""a <rex> and <woodcut-2>, <rex>","<rex> again, 3 < 4 and 2 > 1, <a_b>, <rex@12>""#
        let job = try JobSpec(
            body: Data(#"{"version":1,"kind":"generate","model":"pocket-chameleon","prompts":[\#(prompts)]}"#.utf8))
        #expect(
            job.mentions.map { "\($0.pointer) \($0.name)" } == [
                "/prompts/0 rex", "/prompts/0 woodcut-2", "/prompts/1 rex", "/prompts/1 a_b",
                "/prompts/1 rex",
            ])
        #expect(job.mentions.map(\.version) == [nil, nil, nil, nil, 12] && job.mentions.last?.key == "rex@12")
        #expect(job.mentions.allSatisfy { $0.role == nil })
    }

    @Test func aVersionCanBeMeantWhereverAConceptIsNamed() throws {
        func mentions(_ members: String) throws -> [ConceptMention] {
            try JobSpec(body: Data(#"{"version":1,"model":"pocket-chameleon",\#(members)}"#.utf8)).mentions
        }
        let composed = try mentions(
            #""kind":"compose","subject":"rex@2","style":"woodcut","prompts":["a <rex@2> dog in <woodcut>"]"#)
        #expect(composed.map(\.key) == ["rex@2", "woodcut"] && composed.map(\.version) == [2, nil])
        let evaluated = try mentions(
            #""kind":"evaluate","concepts":["rex@1","rex@2","rex"],"prompts":["{concept} at night"]"#)
        #expect(evaluated.map(\.name) == ["rex", "rex", "rex"] && evaluated.map(\.version) == [1, 2, nil])
        for wrong in ["rex@", "rex@0", "rex@x", "@1", "rex@1@2"] {
            #expect(throws: Problems.self) {
                try mentions(#""kind":"evaluate","concepts":["\#(wrong)"],"prompts":["{concept} at night"]"#)
            }
        }
    }

    @Test func textsAmongTheOptionsNameOnlyWhatTheJobKnows() throws {
        func problems(_ body: JSONValue) -> [Problem] {
            do { _ = try JobSpec(body) } catch let problems as Problems { return problems.list } catch {}
            return []
        }
        func generate(_ negative: JSONValue) -> [Problem] {
            problems([
                "version": 1, "kind": "generate", "model": "pocket-diffusion", "prompts": ["a <rex> dog"],
                "options": ["negative_prompt": negative],
            ])
        }
        #expect(generate("a <rex> cat") == [])
        #expect(
            generate("a <Rex> cat") == [
                Problem("/options/negative_prompt", found: "<Rex>", allowed: ConceptMention.rule)
            ])
        #expect(
            generate("a <mia> cat") == [
                Problem("/options/negative_prompt", found: "<mia>", allowed: "<rex>, and no other concept")
            ])
        let body: JSONValue = [
            "version": 1, "kind": "personalize", "model": "pocket-infinity", "method": "proxy-tuning",
            "concept": ["name": "rex", "role": "subject", "class": "dog"], "images": [["artifact": .string(artifact)]],
            "options": ["contexts": ["on the beach", "beside < rex >", "beside <mia>"]],
        ]
        #expect(problems(body).map(\.pointer) == ["/options/contexts/1", "/options/contexts/2"])
    }

    private var artifact: String { "sha256:" + String(repeating: "a", count: 64) }

    @Test(
        arguments: [
            ("a <REX> dog", ["<REX>"]), ("a <Rex> dog", ["<Rex>"]), ("a < rex > dog", ["< rex >"]),
            ("a <rex dog", ["<rex"]), ("a \u{FF1C}rex\u{FF1E} dog", ["\u{FF1C}rex\u{FF1E}"]),
            ("a &lt;rex&gt; dog", ["&lt;rex&gt;"]), ("a <> dog", ["<>"]), ("<a b> and <rex@0>", ["<a b>", "<rex@0>"]),
            ("<rex@> <rex>", ["<rex@>"]), ("<rex> and <rex@3>", []), ("3 < 4, 5 > 4", []), ("I <3 dogs", []),
            ("a dog <- here", []), ("<rex3", ["<rex3"]), ("a \u{27E8}rex\u{27E9} dog", ["\u{27E8}rex\u{27E9}"]),
            ("a &#60;rex&#62; dog", ["&#60;rex&#62;"]), ("a &#x3C;rex&#X3E; dog", ["&#x3C;rex&#X3E;"]),
            ("a <\u{200D}rex> dog", ["<\u{200D}rex>, with U+200D in it"]), ("a \u{226E}rex> dog", ["\u{226E}rex>"]),
            ("a sign with \u{AB}open\u{BB}", []), ("a <<rex>> dog", ["<<rex>>"]), ("a <re<x>> dog", ["<re<x>>"]),
            ("a <rex>\u{200D} dog", ["<rex>\u{200D}, with U+200D in it"]),
            ("a &#060;rex&#062; dog", ["&#060;rex&#062;"]),
            ("a &#x003c;rex&#x003e; dog", ["&#x003c;rex&#x003e;"]), ("a &lt rex &gt dog", ["&lt rex &gt"]),
            ("a %3Crex%3E dog", ["%3Crex%3E"]), (#"a \u003crex\u003e dog"#, [#"\u003crex\u003e"#]),
            ("a \u{2329}rex\u{232A} dog", ["\u{2329}rex\u{232A}"]),
            ("a \u{276E}rex\u{276F} dog", ["\u{276E}rex\u{276F}"]),
            ("Marks&Ltd, 50%3", []), ("a <r\u{435}x> dog", ["<r\u{435}x>, with U+0435 in it"]),
            ("&lt;!&lt;!&lt;a b&gt;", ["&lt;a b&gt;"]), ("<rex &lt;max", ["<rex", "&lt;max"]),
            ("a &amp;lt;rex&amp;gt; dog", ["&amp;lt;rex&amp;gt;"]), ("a %253Crex%253E dog", ["%253Crex%253E"]),
            ("a &amp;#60;rex&amp;#62; dog", ["&amp;#60;rex&amp;#62;"]), ("R&amp;D", []),
            ("a rex> dog", ["rex>"]), ("a rex\u{FF1E} dog", ["rex\u{FF1E}"]), ("a rex&gt; dog", ["rex&gt;"]),
            ("rex>, <max> and mia@2>", ["rex>", "mia@2>"]), ("<rex>> dog", []), ("a dog -> a cat", []),
            ("a dog-> cat", []), ("big>small", []), ("a dog > a cat", []), ("a dog :>", []), ("over 9>", []),
        ] as [(String, [String])])
    func whatLooksLikeAMentionAndIsNoneIsAProblem(_ prompt: String, _ found: [String]) throws {
        let body: JSONValue = [
            "version": 1, "kind": "generate", "model": "pocket-infinity", "prompts": ["a dog", .string(prompt)],
        ]
        do {
            _ = try JobSpec(body)
            #expect(found == [])
        } catch let problems as Problems {
            #expect(problems.list == found.map { Problem("/prompts/1", found: $0, allowed: ConceptMention.rule) })
        }
    }

    @Test func aPromptThatIsTooLongIsSaidByItsLength() throws {
        let body: JSONValue = [
            "version": 1, "kind": "generate", "model": "pocket-infinity",
            "prompts": [.string(String(repeating: "é", count: 501))],
        ]
        let error = try #require(throws: Problems.self) { try JobSpec(body) }
        #expect(error.list.map(\.found) == ["a text of 1002 bytes"])
    }

    @Test func optionsAreHeldAgainstTheModelsLimits() {
        func generate(_ model: String, _ options: String) -> [String] {
            pointers(#"{"version":1,"kind":"generate","model":"\#(model)","prompts":["x"],"options":{\#(options)}}"#)
        }
        #expect(generate("pocket-infinity", #""guidance":[1,2,3,4,5],"temperature":1"#) == [])
        #expect(
            generate("pocket-infinity", #""guidance":[1,2,3],"temperature":[1,1,1,1,1,1]"#) == [
                "/options/guidance", "/options/temperature",
            ])
        #expect(generate("pocket-chameleon", #""top_k":1024"#) == [])
        #expect(generate("pocket-chameleon", #""top_k":1025"#) == ["/options/top_k"])
        #expect(
            pointers(personalization("arbooth", "pocket-infinity", #"{"early_scales":6}"#)) == ["/options/early_scales"]
        )
        #expect(pointers(personalization("coar", "pocket-chameleon", #"{"layers":9}"#)) == ["/options/layers"])
    }

    /// FLUX.1 dev is, which is told how strongly the prompt is followed.
    @Test(arguments: [true, nil] as [Bool?])
    func aModelThatIsToldItsGuidanceIsLedAwayFromNothing(isTold: Bool?) throws {
        let model = ModelDescription(
            family: .diffusion, name: "flux", pictures: [.init(width: 64, height: 64)],
            limits: .init(isToldGuidance: isTold), digest: "f")
        let read = try JSONDecoder().decode(ModelDescription.self, from: JSONEncoder().encode(model))
        func problems(_ options: JSONValue) -> [Problem] {
            let body: JSONValue = [
                "version": 1, "kind": "generate", "model": "flux", "prompts": ["x"], "options": options,
            ]
            do { _ = try JobSpec(body, models: ModelChoice([read])) } catch let problems as Problems {
                return problems.list
            } catch {}
            return []
        }
        #expect(problems(["guidance": 2]) == [])
        let allowed = "nothing: flux is told its guidance, and draws no picture to lead away from"
        let refused = [Problem("/options/negative_prompt", found: "a text", allowed: allowed)]
        #expect(problems(["negative_prompt": "snow"]) == (isTold == true ? refused : []))
    }

    // MARK: - Methods

    private func personalization(
        _ method: String, _ model: String, role: String = "subject", _ options: String = "{}"
    ) -> String {
        Self.valid.replacing("arbooth", with: method).replacing("pocket-infinity", with: model).replacing(
            #""role":"subject""#, with: #""role":"\#(role)""#
        )
        .replacing(#"{"iterations":600}"#, with: options)
    }

    @Test(arguments: [
        ("arbooth", "pocket-infinity", "subject"), ("coar", "pocket-chameleon", "subject"),
        ("coar", "pocket-chameleon", "style"),
        ("lora", "pocket-infinity", "subject"), ("lora", "pocket-infinity", "style"),
        ("lora", "pocket-chameleon", "style"),
    ]) func everyMethodLearnsOnItsModels(_ method: String, _ model: String, _ role: String) {
        #expect(pointers(personalization(method, model, role: role)) == [])
    }

    @Test func aMethodThatDoesNotFitIsToldWhatWouldDo() throws {
        let error = #expect(throws: Problems.self) {
            try JobSpec(body: Data(personalization("coar", "pocket-infinity").utf8), models: Self.models)
        }
        #expect(
            error?.list.map(\.description) == [
                #"/method: found "coar"; allowed: on pocket-infinity arbooth, lora, proxy-tuning; "#
                    + "coar on pocket-chameleon"
            ])
        let style = #expect(throws: Problems.self) {
            try JobSpec(
                body: Data(personalization("arbooth", "pocket-infinity", role: "style").utf8), models: Self.models)
        }
        #expect(
            style?.list.map(\.description) == [
                #"/concept/role: found "style"; allowed: subject by arbooth; a style is learnt by coar, lora"#
            ])
        #expect(
            pointers(personalization("arbooth", "pocket-chameleon", role: "style")) == ["/concept/role", "/method"])
        let unknown = #expect(throws: Problems.self) {
            try JobSpec(body: Data(personalization("magic", "pocket-chameleon").utf8), models: Self.models)
        }
        #expect(unknown?.list.map(\.allowed) == ["coar, lora, proxy-tuning"])
    }

    @Test func eachMethodHasItsOwnOptions() {
        #expect(
            pointers(
                personalization(
                    "coar", "pocket-chameleon", #"{"layers":3,"prompt":"a {concept} {class}","prior_weight":0.1}"#))
                == [])
        #expect(
            pointers(personalization("coar", "pocket-chameleon", #"{"rank":4,"prompt":"a {class}","layers":0}"#)) == [
                "/options/layers", "/options/prompt", "/options/rank",
            ])
        #expect(
            pointers(personalization("lora", "pocket-infinity", #"{"rank":4,"alpha":8,"prior_preservation":false}"#))
                == [])
        #expect(
            pointers(personalization("lora", "pocket-infinity", #"{"rank":0,"alpha":"8","layers":2}"#)) == [
                "/options/alpha", "/options/layers", "/options/rank",
            ])
    }

    // MARK: - Compositions

    private func composition(_ change: (String) -> String = { $0 }) -> String {
        change(
            #"""
            {"version":1,"kind":"compose","model":"pocket-chameleon","subject":"rex","style":"woodcut","prompts":["in \#
            the snow","a <rex> dog"],"images_per_prompt":4,"seed":1,"options":{"identity_mask":false}}
            """#
        )
    }

    @Test func aCompositionMentionsASubjectAndAStyle() throws {
        let job = try JobSpec(body: Data(composition().utf8))
        guard case .compose(let spec) = job else {
            Issue.record("\(job.kind)")
            return
        }
        #expect(spec.subject == "rex" && spec.style == "woodcut" && job.images.isEmpty)
        #expect(spec.drawing.prompts.count == 2 && spec.drawing.perPrompt == 4)
        #expect(
            job.mentions == [
                ConceptMention(pointer: "/subject", name: "rex", role: .subject),
                ConceptMention(pointer: "/style", name: "woodcut", role: .style),
            ])
    }

    @Test(arguments: [
        (#""subject":"rex","#, "", ["/subject"]), (#""style":"woodcut""#, #""style":"Wood!""#, ["/style"]),
        (#""style":"woodcut""#, #""style":"rex""#, ["/style"]),
        ("a <rex> dog", "a <max> dog", ["/prompts/1"]), ("pocket-chameleon", "pocket-infinity", ["/model"]),
        (#""images_per_prompt":4"#, #""images_per_prompt":0"#, ["/images_per_prompt"]),
        (
            #"{"identity_mask":false}"#, #"{"identity_mask":1,"guidance":[1,2]}"#,
            ["/options/guidance", "/options/identity_mask"]
        ),
        (#""seed":1"#, #""images":[]"#, ["/images"]), (#"["in the snow","a <rex> dog"]"#, "[]", ["/prompts"]),
    ]) func whatIsNoCompositionIsToldWhy(_ part: String, _ other: String, _ places: [String]) {
        #expect(pointers(composition { $0.replacing(part, with: other) }) == places)
    }

    @Test func aWrongModelHidesNothing() {
        let drawing = #"""
            {"version":1,"kind":"generate","model":"gpt","prompts":["a <rex> dog"],"strengths":{"max":1},\#
            "options":{"guidance":31}}
            """#
        #expect(pointers(drawing) == ["/model", "/options/guidance", "/strengths/max"])
        let joining = composition {
            $0.replacing("pocket-chameleon", with: "gpt").replacing("a <rex>", with: "a <max>").replacing(
                "false", with: "1")
        }
        #expect(pointers(joining) == ["/model", "/options/identity_mask", "/prompts/1"])
    }

    /// Where nobody knows the models, as in the schema of any host.
    @Test func aCompositionHasTheOptionsOfAModelThatComposes() {
        let steps = composition { $0.replacing(#""identity_mask":false"#, with: #""steps":5"#) }
        let error = #expect(throws: Problems.self) { try JobSpec(body: Data(steps.utf8)) }
        #expect(error?.list.map(\.pointer) == ["/options/steps"])
    }
}

/// The size of pictures, as jobs say it and a model's description allows it.
struct PictureSizeTests {
    private static let models = ModelChoice([
        ModelDescription(
            family: .infinity, name: "listed",
            pictures: [(256, 256), (192, 288), (80, 120)].map { .init(width: $0, height: $1) },
            limits: .init(scales: 7), digest: "a"),
        ModelDescription(
            family: .diffusion, name: "divided", pictures: [.init(width: 64, height: 64)],
            sides: .init(multiple: 16, least: 32, most: 128), digest: "b"),
    ])

    private func problems(_ model: String, _ size: JSONValue, _ options: JSONValue = [:]) -> [Problem] {
        let body: JSONValue = [
            "version": 1, "kind": "generate", "model": .string(model), "prompts": ["a dog"], "size": size,
            "options": options,
        ]
        do {
            let spec = try JobSpec(body, models: Self.models)
            #expect(spec.size?.text == size.string)
            #expect(try JobSpec(spec.json, models: Self.models) == spec)
            return []
        } catch { return (error as? Problems)?.list ?? [] }
    }

    /// A shape as it is; the next multiples within bounds; the listed shape that loses least, the smallest of several.
    @Test(arguments: [
        ("listed", "256x256", "256x256"), ("listed", "192x288", "192x288"), ("divided", "64x64", "64x64"),
        ("divided", "32x128", "32x128"), ("listed", "250x230", "256x256"), ("listed", "20x30", "80x120"),
        ("listed", "80x121", "192x288"), ("listed", "8x8", "256x256"), ("divided", "40x70", "48x80"),
        ("divided", "33x127", "48x128"), ("divided", "30x31", "32x32"), ("divided", "15x16", "64x64"),
    ])
    func whatAShapeCoversIsTaken(model: String, size: String, shape: String) throws {
        #expect(problems(model, .string(size)) == [])
        let asked = try #require(ModelDescription.Size(text: size))
        #expect(Self.models[model]?.shape(of: asked)?.text == shape)
    }

    private static let smaller =
        "or smaller in nearly such a shape: a side has at least 8 pixels, and at most 12 % is cut away"

    /// Of the listed shapes those that are cut from another are left out.
    @Test(arguments: [
        ("listed", "288x192", "256x256, 192x288, \(smaller)"), ("listed", "257x256", "256x256, 192x288, \(smaller)"),
        ("listed", "100x200", "256x256, 192x288, \(smaller)"),
        ("divided", "32x144", "64x64, sides of 32 to 128 pixels, \(smaller)"),
        ("listed", "7x7", "256x256, 192x288, \(smaller)"),
        ("divided", "10x16", "64x64, sides of 32 to 128 pixels, \(smaller)"),
        ("divided", "064x64", "width and height in pixels: \"512x768\""),
        ("divided", "64", "width and height in pixels: \"512x768\""),
    ])
    func anotherIsRefusedWithWhatThereIs(model: String, size: String, allowed: String) {
        let found = problems(model, .string(size))
        #expect(found.map(\.pointer) == ["/size"] && found.first?.allowed == allowed, "\(found)")
    }

    /// Lumina-mGPT's crops of 768² by the loop of the reference's `generate_crop_size_list`.
    private static let crops: [ModelDescription.Size] = {
        var sizes: [ModelDescription.Size] = []
        var (wide, high) = (576, 1)
        while wide > 0 {
            if max(wide, high) <= 4 * min(wide, high) { sizes.append(.init(width: 32 * wide, height: 32 * high)) }
            if (high + 1) * wide <= 576 { high += 1 } else { wide -= 1 }
        }
        return sizes
    }()

    /// What the reference's `var_center_crop` takes for them.
    @Test(arguments: [
        ("3024x4032", "640x864"), ("4032x3024", "864x640"), ("1080x1920", "576x1024"), ("1000x1000", "768x768"),
        ("6000x4000", "928x608"), ("300x100", "1312x448"), ("8000x16", "1536x384"),
    ])
    func theNearestShapeKeepsMostOfAPicture(picture: String, shape: String) throws {
        let size = try #require(ModelDescription.Size(text: picture))
        #expect(Self.crops.count == 73 && size.nearest(of: Self.crops)?.text == shape)
        #expect(size.nearest(of: []) == nil)
    }

    /// What is shown of a model can be copied into a job.
    @Test func aSizeMayBeWrittenAsItIsShown() throws {
        let size = try #require(ModelDescription.Size(text: "512×768"))
        #expect(size.text == "512x768" && ModelDescription.Size(text: size.description) == size)
    }

    /// How many scales another shape has the engine knows.
    @Test(
        arguments: [
            ("256x256", ["/options/guidance"]), ("250x230", ["/options/guidance"]), ("192x288", []), ("190x288", []),
        ] as [(String, [String])])
    func listsByScalesAreHeldAgainstTheUsualShape(size: String, pointers: [String]) {
        #expect(problems("listed", .string(size), ["guidance": [1, 2]]).map(\.pointer) == pointers)
        let single = problems("listed", .string(size), ["guidance": [1]])
        #expect(single.allSatisfy { $0.found == "a list of 1 number" } && single.map(\.pointer) == pointers)
    }
}
