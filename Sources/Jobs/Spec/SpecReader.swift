/// Reads a body field by field and collects every problem.
struct SpecReader {
    let body: JSONValue
    /// Those a job may name.
    let models: ModelChoice
    /// Whether the job was accepted before.
    let isAccepted: Bool
    /// The fields that its kind has.
    private var known: [String] = []
    var problems: [Problem] = []

    init(body: JSONValue, models: ModelChoice, isAccepted: Bool) {
        (self.body, self.models, self.isAccepted) = (body, models, isAccepted)
    }

    mutating func note(_ pointer: String, _ value: JSONValue?, _ allowed: String) {
        problems.append(Problem(pointer, found: value?.brief ?? "nothing", allowed: allowed))
    }

    /// The same of a name, where what may pass for the letters that are allowed is told.
    mutating func noteName(_ pointer: String, _ value: JSONValue?, _ allowed: String) {
        let found = (value?.brief ?? "nothing") + (value?.string?.strangeLettersInWords ?? "")
        problems.append(Problem(pointer, found: found, allowed: allowed))
    }

    mutating func kind() -> JobKind? {
        guard let kind = body["kind"]?.string.flatMap(JobKind.init(rawValue:)) else {
            note("/kind", body["kind"], JobKind.allCases.map(\.rawValue).joined(separator: ", "))
            return nil
        }
        return kind
    }

    mutating func version() {
        if let version = body["version"], version != .integer(1) { note("/version", version, "1") }
        if body["version"] == nil { note("/version", nil, "1") }
    }

    /// - Parameter tables: what may stand within its options, of whatever method and model.
    mutating func fields(_ allowed: [String], options tables: @autoclosure () -> [OptionTable] = []) {
        known = allowed
        guard case .object(let members) = body else { return }
        let strange = members.keys.filter { !allowed.contains($0) }.sorted()
        guard !strange.isEmpty else { return }
        let options = Set(tables().flatMap(\.rows).map(\.name))
        for name in strange {
            let pointer = "/" + Problem.escaped(name)
            problems.append(
                options.contains(name)
                    ? Problem(pointer, found: "an option", allowed: #"within options: {"options": {"\#(name)": …}}"#)
                    : Problem(pointer, found: "an unknown field", allowed: allowed.joined(separator: ", ")))
        }
    }

    mutating func probe() -> JobSpec {
        fields(["version", "kind"])
        return .probe
    }

    /// The name of a model that fits.
    mutating func model(_ fits: (ModelFamily) -> Bool = \.draws) -> String? {
        guard let name = body["model"]?.string, ModelDescription.isName(name), models.allows(name, fits) else {
            noteName("/model", body["model"], models.words(fits, naming: body["model"]?.string))
            return nil
        }
        return name
    }

    /// A method that can learn such concepts on that model; what is not known is no reason against it.
    mutating func method(model: String?) -> PersonalizationMethod? {
        let family = model.flatMap { models[$0]?.family }
        let roles = roles
        guard let method = body["method"]?.string.flatMap(PersonalizationMethod.init(rawValue:)) else {
            note("/method", body["method"], PersonalizationMethod.fitting(family, roles.first?.role))
            return nil
        }
        if let model, let family, !method.families.contains(family) {
            note(
                "/method", body["method"],
                """
                on \(model) \(PersonalizationMethod.fitting(family, roles.first?.role)); \(method.rawValue) on \
                \(models.words(method.families.contains))
                """
            )
        }
        for (pointer, role) in roles where !method.roles.contains(role) {
            note(
                pointer, .string(role.rawValue),
                """
                \(method.roles.map(\.rawValue).joined(separator: ", ")) by \(method.rawValue); a \(role.rawValue) is \
                learnt by \(PersonalizationMethod.fitting(nil, role))
                """
            )
        }
        return method
    }

    /// What the concepts to be learnt are said to be, and where.
    private var roles: [(pointer: String, role: ConceptRole)] {
        let one = body["concept"].map { [("/concept/role", $0)] } ?? []
        let several = (body["concepts"]?.array ?? []).prefix(8).enumerated().map { ("/concepts/\($0)/role", $1) }
        return (one + several).compactMap { pointer, concept in
            concept["role"]?.string.flatMap(ConceptRole.init(rawValue:)).map { (pointer, $0) }
        }
    }

    /// The subject and the style of a composition; nil where one of them is no name.
    mutating func pair() -> (subject: String, style: String)? {
        let names = ConceptRole.allCases.map { role -> String? in
            let name = body[role.rawValue]?.string.flatMap { ConceptMention.isReference($0) ? $0 : nil }
            if name == nil {
                noteName(
                    "/" + role.rawValue, body[role.rawValue],
                    "the name of a \(role.rawValue) that was learnt, or name@version")
            }
            return name
        }
        guard let subject = names[0], let style = names[1] else { return nil }
        if subject == style { note("/style", body["style"], "another name than the subject's") }
        return (subject, style)
    }

    /// Nil where none is given.
    mutating func seed() -> Int? {
        guard let value = body["seed"] else { return nil }
        guard let seed = value.integer, seed >= 0 else {
            note("/seed", value, "a whole number from 0 to 9223372036854775807")
            return nil
        }
        return seed
    }

    /// Nil where it is not given.
    mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = body[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            note("/" + name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    /// The size of pictures that a model draws, or that are cut from what it draws.
    mutating func size(of model: String?) -> ModelDescription.Size? {
        guard let value = body["size"] else { return nil }
        guard let size = value.string.flatMap(ModelDescription.Size.init(text:)) else {
            note("/size", value, "width and height in pixels: \"512x768\"")
            return nil
        }
        if let known = model.flatMap({ models[$0] }), known.shape(of: size) == nil {
            note("/size", value, known.sizesInWords)
        }
        return size
    }

    private func drawsUsualShape(of model: ModelDescription) -> Bool {
        guard let value = body["size"] else { return true }
        let size = value.string.flatMap(ModelDescription.Size.init(text:))
        return size.flatMap { model.shape(of: $0) } == model.pictures.first
    }

    /// Those of drawing with a model; of one that nobody knows they must be some family's that fits.
    mutating func drawingOptions(_ model: String?, on fits: (ModelFamily) -> Bool) -> [String: JSONValue] {
        let known = model.flatMap { models[$0] }
        let families = known.map { [$0.family] } ?? ModelFamily.allCases.filter(fits)
        let given = options(anyOf: families.compactMap(\.drawing))
        if let known { hold(given, against: known) }
        return given
    }

    /// What a table allows may still be more than a model has.
    mutating func hold(_ options: [String: JSONValue], against model: ModelDescription) {
        let limits = model.limits
        for name in ["guidance", "temperature"] {
            // Another shape may have another number of scales.
            guard drawsUsualShape(of: model), let scales = limits.scales, let list = options[name]?.array,
                list.count != scales
            else { continue }
            problems.append(
                Problem(
                    "/options/\(name)", found: "a list of \(counted(list.count, "number"))",
                    allowed: "one number, or \(scales), one for each scale of \(model.name)"))
        }
        for (name, limit, what) in [
            ("early_scales", limits.scales, "scales"), ("layers", limits.layers, "layers"),
            ("top_k", limits.codes, "codes"),
        ] {
            guard let limit, let value = options[name]?.integer, value > limit else { continue }
            note("/options/\(name)", options[name], "at most \(limit): \(model.name) has no more \(what)")
        }
        if limits.isToldGuidance == true, options["negative_prompt"]?.string != nil {
            problems.append(.toldGuidance(of: model.name))
        }
    }

    /// Those of one table, or of any where nobody knows of which, which is a problem of its own.
    mutating func options(anyOf tables: [OptionTable]) -> [String: JSONValue] {
        let given = body["options"]
        // Of tables that leave as many problems, one that knows the names says what is wrong with the values.
        let found = tables.map { (problems: $0.problems(in: given), strangers: $0.strangers(in: given)) }
        let least = found.min { ($0.problems.count, $0.strangers) < ($1.problems.count, $1.strangers) }
        problems += (least?.problems ?? []).map(besideOptions)
        if case .object(let members) = given { return members } else { return [:] }
    }

    /// The problem of what stands among the options and is a field: no option is called like one.
    private func besideOptions(_ problem: Problem) -> Problem {
        guard known.contains(where: { problem.pointer == "/options/" + $0 }) else { return problem }
        return Problem(problem.pointer, found: "a field of the job", allowed: "beside options, not within")
    }

    /// Texts among the options may name concepts that the job knows, and no others.
    /// - Parameter reason: why there are none, where there are none.
    mutating func hold(
        texts: [(pointer: String, text: String, isTemplate: Bool)], naming known: [String],
        because reason: String = "no prompt names one"
    ) {
        let names = known.map { "<\($0)>" }.joined(separator: ", ")
        for (pointer, text, isTemplate) in texts {
            noteTypos(in: text, at: pointer, isTemplate: isTemplate)
            for name in ConceptMention.names(in: text) where !known.contains(name) {
                let allowed = known.isEmpty ? "no concept: \(reason)" : "\(names), and no other concept"
                problems.append(Problem(pointer, found: "<\(name)>", allowed: allowed))
            }
        }
    }

    private mutating func noteTypos(in text: String, at pointer: String, isTemplate: Bool) {
        guard !isAccepted else { return }
        for typo in ConceptMention.typos(in: text) {
            problems.append(
                Problem(pointer, found: typo + typo.strangeLettersInWords, allowed: ConceptMention.rule))
        }
        for blank in PromptBlank.unfilled(in: text, isTemplate: isTemplate) {
            problems.append(Problem(pointer, found: blank, allowed: PromptBlank.rule(isTemplate: isTemplate)))
        }
    }

    /// - Parameter isTemplate: whether `{concept}` and `{class}` are filled in them.
    mutating func prompts(_ count: ClosedRange<Int>, isTemplate: Bool = false) -> [String] {
        guard let value = body["prompts"] else {
            if count.lowerBound > 0 {
                note("/prompts", nil, "a list of \(count.lowerBound) to \(count.upperBound) prompts")
            }
            return []
        }
        guard let elements = value.array, count.contains(elements.count) else {
            problems.append(
                Problem(
                    "/prompts", found: value.array.map { "\($0.count) prompts" } ?? value.outline,
                    allowed: "a list of \(count.lowerBound) to \(count.upperBound) prompts"))
            return []
        }
        let most = JobSpec.mostPromptBytes
        return elements.enumerated().compactMap { index, element in
            guard let text = element.string, !text.isEmpty, text.utf8.count <= most, !text.unicodeScalars.contains("\0")
            else {
                let length = element.string?.utf8.count ?? 0
                problems.append(
                    Problem(
                        "/prompts/\(index)", found: length > most ? "a text of \(length) bytes" : element.brief,
                        allowed: "a text of 1 to \(most) bytes without NUL"))
                return nil
            }
            noteTypos(in: text, at: "/prompts/\(index)", isTemplate: isTemplate)
            return text
        }
    }

    /// How much of each concept acts; those that are named must be in the prompts.
    mutating func strengths(of prompts: [String]) -> [String: Double] {
        guard let value = body["strengths"] else { return [:] }
        guard case .object(let members) = value else {
            note("/strengths", value, "an object: a number from 0 to 2 for each concept")
            return [:]
        }
        let named = Set(ConceptMention.all(in: prompts).map(\.key))
        var strengths: [String: Double] = [:]
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let pointer = "/strengths/" + Problem.escaped(name)
            if !named.contains(name) {
                problems.append(
                    Problem(
                        pointer, found: "a concept that no prompt names",
                        allowed: named.isEmpty ? "none: no prompt names one" : named.sorted().joined(separator: ", ")))
            }
            guard let number = value.double, (0...2).contains(number) else {
                note(pointer, value, "a number from 0 to 2")
                continue
            }
            strengths[name] = number
        }
        return strengths
    }

    /// What the outcome shall carry; nothing unless it is said.
    mutating func attachedRoles() -> [AttachedRole] {
        guard let value = body["attach"] else { return [] }
        let roles = (value.array ?? []).compactMap { $0.string.flatMap(AttachedRole.init(rawValue:)) }
        let known = AttachedRole.allCases.map(\.rawValue).joined(separator: ", ")
        if roles.isEmpty || roles.count != value.array?.count || Set(roles).count != roles.count {
            note("/attach", value, "a list of one or more of \(known)")
        }
        return roles
    }

    /// The concept whose training goes on; a method must be able to.
    mutating func continued(by method: PersonalizationMethod?) -> String? {
        guard let value = body["continue_from"] else { return nil }
        guard let name = value.string, ConceptMention.isReference(name) else {
            noteName("/continue_from", value, "the name of a concept that was learnt, or name@version")
            return nil
        }
        if method == .proxyTuning { note("/continue_from", value, "nothing: proxy-tuning begins with the model") }
        return name
    }

    /// A job that learns or joins concepts has no others at hand.
    mutating func only(_ names: [String], in prompts: [String], because reason: String) {
        for mention in ConceptMention.all(in: prompts) where !names.contains(mention.key) {
            let allowed = names.map { "<\($0)>" }.joined(separator: " and ")
            problems.append(Problem(mention.pointer, found: "<\(mention.key)>", allowed: "\(allowed), \(reason)"))
        }
    }

    /// A supervisor must be a diffusion model whose pictures the student can read.
    /// - Parameter student: nil where it is no model that can learn, which is a problem of its own.
    mutating func hold(supervisor: String, of student: String?) {
        // What is no name is a problem already.
        guard ModelDescription.isName(supervisor) else { return }
        let fits = { (family: ModelFamily) in family == .diffusion }
        guard models.allows(supervisor, fits) else {
            problems.append(Problem("/options/supervisor", found: supervisor, allowed: models.words(fits)))
            return
        }
        guard let student, let own = models[student]?.pictures.first, let its = models[supervisor], !its.draws(own)
        else { return }
        let sizes = its.pictures.map(\.description).joined(separator: ", ")
        problems.append(
            Problem(
                "/options/supervisor", found: "\(supervisor), which draws \(sizes)",
                allowed: "a diffusion model that draws \(own), as \(student) does"))
    }
}
