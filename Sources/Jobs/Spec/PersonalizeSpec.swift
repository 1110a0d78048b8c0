/// Learn a concept from reference pictures.
package struct PersonalizeSpec: Sendable, Equatable {
    /// What is learnt.
    package var concept: ConceptSpec
    /// What is learnt beside it, into the same adapter, by a method that can.
    package var others: [ConceptSpec] = []
    /// One that the model's family and the concept's role have.
    package var method: PersonalizationMethod
    /// What learns, by its name.
    package var model: String
    /// 1 to 32; none where every concept has its proxies already.
    package var images: [ImageSource]
    /// Of the sample pictures; empty: the method's own.
    package var prompts: [String]
    /// Nil where none was given.
    package var seed: Int?
    /// As they were given; what holds for the others is in the method's `OptionTable`.
    package var options: [String: JSONValue]

    /// So often, in steps, a picture is drawn of what is learnt so far; nil: never.
    package var previewEvery: Int?
    /// The concept whose training goes on, `rex` or `rex@2`; nil: it begins with the model.
    package var continueFrom: String?
    /// What of the artifacts the outcome shall carry.
    package var attach: [AttachedRole] = []

    /// All that is learnt.
    package var concepts: [ConceptSpec] { [concept] + others }

    /// The places of a concept's own pictures among `images`.
    package func places(of concept: ConceptSpec) -> [Int] { concept.images ?? Array(images.indices) }

    /// The job whose proxies a concept is learnt from; nil where they are drawn.
    package func proxies(of concept: ConceptSpec) -> ProxySource? {
        concept.proxies ?? options["proxies"].flatMap { ProxySource($0) }
    }

    /// The diffusion model that teaches; nil where the method has none, or nothing is left to be drawn.
    package var supervisor: String? {
        guard method == .proxyTuning, concepts.contains(where: { proxies(of: $0) == nil }) else { return nil }
        return Self.supervisor(options)
    }

    private static func supervisor(_ options: [String: JSONValue]) -> String? {
        (options["supervisor"] ?? OptionTable.proxyTuning.standard("supervisor"))?.string
    }

    /// Options that were given though nothing acts on them: where all proxies are other jobs', none are drawn.
    package var idleOptions: [String] {
        guard method == .proxyTuning, supervisor == nil else { return [] }
        let isNamed = concepts.contains { $0.proxies == nil }
        return options.keys.filter { !OptionTable.student.contains($0) && !($0 == "proxies" && isNamed) }.sorted()
    }

    /// By which rule a supervisor learns: the one the job says, or the usual one of its model.
    package func supervisorRule(of supervisor: ModelDescription?) -> String? {
        Self.supervisorRule(options["supervisor_optimizer"], of: supervisor)
    }

    private static func supervisorRule(_ given: JSONValue?, of supervisor: ModelDescription?) -> String? {
        (given ?? supervisor?.training?["supervisor"]?["supervisor_optimizer"])?.string
    }

    /// What options of Proxy-Tuning are where a job says nothing: as the student usually learns, and the supervisor.
    /// - Parameter rule: the job's own `supervisor_optimizer`.
    package static func usualTeaching(
        of student: ModelDescription?, by supervisor: ModelDescription?, rule: JSONValue?
    ) -> [String: JSONValue] {
        var teaching = supervisor?.training?["supervisor"] ?? [:]
        // A usual rate is AdamW's; Prodigy finds its own.
        if supervisorRule(rule, of: supervisor) == "prodigy" { teaching["supervisor_learning_rate"] = nil }
        return (student?.usualOptions(of: .proxyTuning) ?? [:]).merging(teaching) { $1 }
    }

    /// Prodigy keeps no moments in 8 bits.
    /// - Parameter model: of the supervisor; nil where nobody knows it.
    package func momentsProblem(of model: ModelDescription?) -> Problem? {
        supervisor.flatMap { Self.momentsProblem(options, of: $0, model) }
    }

    private static func momentsProblem(
        _ options: [String: JSONValue], of supervisor: String, _ model: ModelDescription?
    ) -> Problem? {
        guard options["moments"] == "8-bit",
            supervisorRule(options["supervisor_optimizer"], of: model) == "prodigy"
        else { return nil }
        return Problem(
            "/options/moments", found: "8-bit, where \(supervisor) learns by Prodigy",
            allowed: "32-bit; or 8-bit with supervisor_optimizer adamw")
    }

    /// What the method leaves open for such a concept.
    package var table: OptionTable { method.options(for: concept.role) }
}

extension PersonalizeSpec {
    /// Nil where the reader has found problems that leave nothing to make a job of.
    init?(_ reader: inout SpecReader) {
        let model = reader.model()
        reader.fields(
            [
                "version", "kind", "concept", "concepts", "method", "model", "images", "prompts", "seed", "options",
                "preview_every", "continue_from", "attach",
            ], options: PersonalizationMethod.allCases.flatMap { [$0.options(for: .subject), $0.options(for: .style)] })
        let concepts = reader.concepts()
        let method = reader.method(model: model)
        if reader.body["concepts"] != nil, let method, !method.learnsSeveral {
            reader.note("/concepts", reader.body["concepts"], "one /concept: \(method.rawValue) learns one at a time")
        }
        images = reader.images(
            needed: reader.needsImages(by: method), or: method == .proxyTuning ? "proxies of a job" : nil)
        reader.holdPlaces()
        prompts = reader.prompts(0...64)
        let names = reader.learntNames
        if let names {
            reader.only(
                names, in: prompts,
                because: names.count == 1 ? "the concept this job learns" : "the concepts this job learns")
        }
        seed = reader.seed()
        previewEvery = reader.integer("preview_every", 1...20_000)
        continueFrom = reader.continued(by: method)
        if previewEvery != nil, method == .proxyTuning {
            reader.note("/preview_every", reader.body["preview_every"], "nothing by proxy-tuning: its proxies are seen")
        }
        attach = reader.attachedRoles()
        let role = concepts.first?.role ?? .subject
        let methods = method.map { [$0] } ?? PersonalizationMethod.allCases
        options = reader.options(anyOf: methods.map { $0.options(for: role) })
        let texts = method?.options(for: role).texts(in: options) ?? []
        if method == .proxyTuning, !reader.isAccepted {
            // Proxies of every subject are drawn in all of them, by a supervisor that knows that subject alone.
            reader.hold(texts: texts, naming: [], because: "each subject is drawn by itself there")
        } else {
            // Of concepts without a name nobody knows which are others.
            reader.hold(texts: texts, naming: names ?? texts.flatMap { ConceptMention.names(in: $0.text) })
        }
        if let model = model.flatMap({ reader.models[$0] }) { reader.hold(options, against: model) }
        if method == .proxyTuning, reader.drawsProxies, let supervisor = Self.supervisor(options) {
            reader.hold(supervisor: supervisor, of: model)
            if let problem = Self.momentsProblem(options, of: supervisor, reader.models[supervisor]) {
                reader.problems.append(problem)
            }
        }
        guard let model, let concept = concepts.first, let method else { return nil }
        (self.concept, self.method, self.model) = (concept, method, model)
        others = Array(concepts.dropFirst())
    }

    var members: [String: JSONValue] {
        var members: [String: JSONValue] = ["method": .string(method.rawValue), "model": .string(model)]
        if !concept.isListed {
            members["concept"] = concept.json
        } else {
            members["concepts"] = .array(concepts.map(\.json))
        }
        if !images.isEmpty { members["images"] = .array(images.map(\.json)) }
        if !prompts.isEmpty { members["prompts"] = .array(prompts.map(JSONValue.string)) }
        if !options.isEmpty { members["options"] = .object(options) }
        members["seed"] = seed.map(JSONValue.integer)
        members["preview_every"] = previewEvery.map(JSONValue.integer)
        members["continue_from"] = continueFrom.map(JSONValue.string)
        if !attach.isEmpty { members["attach"] = AttachedRole.json(attach) }
        return members
    }

    /// The concept it goes on from.
    var mentions: [ConceptMention] {
        continueFrom.map { [ConceptMention(pointer: "/continue_from", reference: $0, role: concept.role)] } ?? []
    }
}

/// What a `personalize` job learns.
package struct ConceptSpec: Sendable, Equatable {
    /// How prompts call it: `<name>`.
    package var name: String
    /// Whether it is a subject or a style.
    package var role: ConceptRole
    /// The noun of what the references show; nil where a style's is not said.
    package var className: String?
    /// The places of its pictures in the job's list, where the job learns several; nil: all are its.
    package var images: [Int]?
    /// The job that drew its proxies, where it names one.
    package var proxies: ProxySource?
    /// Whether it stands in the list `concepts`, where each says what it is learnt from.
    package var isListed: Bool { images != nil || proxies != nil }

    /// Whether a text can stand amid a prompt as a class noun.
    package static func isNoun(_ text: String) -> Bool {
        text.count <= 64 && text.wholeMatch(of: /[A-Za-z]+(?:[ -][A-Za-z]+)*/) != nil
    }

    /// The rule for class nouns, for whoever wrote another.
    package static let nounRule = "a class noun of 1 to 64 English letters, with single spaces or dashes between them"

    var json: JSONValue {
        var members: [String: JSONValue] = ["name": .string(name), "role": .string(role.rawValue)]
        members["class"] = className.map(JSONValue.string)
        if let images, !images.isEmpty { members["images"] = .array(images.map(JSONValue.integer)) }
        members["proxies"] = proxies?.json
        return .object(members)
    }
}
