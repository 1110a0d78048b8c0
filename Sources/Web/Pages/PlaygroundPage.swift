import Foundation
import Hummingbird
import Jobs

/// Draws: prompts, a model, concepts; a form is made a job, published, and its page shown.
struct PlaygroundPage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/playground") { request, context in
            let viewer = try context.knownViewer()
            var model = site.frame(viewer, section: "playground", title: "Playground")
            model["playground"] = try await form(
                viewer, concept: request.parameter("concept"), model: request.parameter("model"), role: nil, noun: nil,
                tenant: nil)
            return try site.templates.html("playground", model)
        }
        router.post("/playground") { _, context in try await draw(context.form, context.actingViewer()) }
        router.post("/playground/estimate") { _, context in
            let viewer = try context.knownViewer()
            return try await EstimateRoute(site: site).answer(viewer, tenant: context.form["tenant"]) {
                try Self.body(context.form)
            }
        }
    }

    /// What the form shows: the models that draw, and the concepts that fit.
    /// - Parameter sent: what it was sent with, where it comes back.
    func form(
        _ viewer: Viewer, concept: String?, model: String?, role: String?, noun: String?, tenant: String?,
        sent: FormFields = Self.unsent
    ) async throws -> [String: Any] {
        let tenant = viewer.tenant ?? tenant ?? site.publishing?.user
        let models = try await site.reader.drawingModels().models.values.sorted { $0.name < $1.name }
        let concepts = try await site.reader.rows(
            """
            select name, model, max(role) as role, max(class) as class from dashboard.concept_details
            where ($1::text is null or tenant = $1) group by name, model order by name limit 200
            """, [tenant])
        func words(_ row: JSONValue) -> [String: Any] {
            var model = row.members
            model["mention"] = "<\(row["name"]?.string ?? "")>" + (row["class"]?.string.map { " " + $0 } ?? "")
            return model
        }
        let styles = concepts.filter { $0["role"]?.string == "style" }
        let subjects = concepts.filter { $0["role"]?.string == "subject" }
        let meant = concepts.first { row in
            row["name"]?.string == concept && (model == nil || row["model"]?.string == model)
        }
        let prompt = concept.map { name in
            let noun = noun ?? meant?["class"]?.string
            return (role ?? meant?["role"]?.string) == "style"
                ? "a <\(name)> of \((noun ?? "cat").withArticle)"
                : "a <\(name)>\(noun.map { " " + $0 } ?? "") on the beach"
        }
        let chosen = sent["model"] ?? model ?? meant?["model"]?.string ?? models.first?.name
        let drawing = models.first { $0.name == chosen } ?? models.first
        func names(_ rows: [JSONValue], _ field: String) -> [[String: Any]] {
            JobLine.choices(Set(rows.compactMap { $0["name"]?.string }).sorted(), chosen: sent[field])
        }
        var shown: [String: Any] = [
            "models": JobLine.choices(models.map(\.name), chosen: chosen), "has_models": !models.isEmpty,
            "shapes": models.map { ["id": Self.list($0), "sizes": $0.pictures.map(\.text)] as [String: Any] },
            "size_list": drawing.map(Self.list) ?? "", "usual_size": drawing?.pictures.first?.text ?? "",
            "concepts": concepts.map(words), "has_concepts": !concepts.isEmpty,
            "subjects": names(subjects, "subject"), "styles": names(styles, "style"),
            "has_styles": !styles.isEmpty, "prompt": sent["prompts"] ?? prompt ?? "", "tenant": tenant ?? "",
        ]
        for name in Self.plain { shown[name] = sent[name] ?? "" }
        return shown
    }

    /// The fields that are kept as they were filled in.
    private static let plain = [
        "images_per_prompt", "size", "seed", "guidance", "temperature", "negative_prompt", "strength", "strength_2",
    ]

    /// The list that offers a model's shapes.
    private static func list(_ model: ModelDescription) -> String { "shapes-" + model.name }

    /// What the form begins with.
    static let unsent = FormFields([("images_per_prompt", "4")])

    private func draw(_ form: FormFields, _ viewer: Viewer) async throws -> Response {
        let publishing = try site.publisher()
        let tenant = viewer.tenant ?? form["tenant"] ?? publishing.user
        do {
            let start = try await site.reader.clock()
            let id = try await publishing.publish(checked(Self.body(form)), for: tenant)
            return .redirect(to: JobPage.answerPage(to: id, tenant: tenant, since: start), type: .normal)
        } catch let problems as Problems {
            let list = try await site.named(problems, for: tenant)
            return try await refused(form, list.map { ($0.pointer, $0.found, $0.allowed) }, viewer)
        } catch let refusal as JobPublishing.Refusal {
            return try await refused(form, [("", refusal.description, "")], viewer)
        }
    }

    /// The same body, held against its model as a daemon will hold it: what would be rejected comes back with the form.
    private func checked(_ body: JSONValue) async throws -> JSONValue {
        let held = try await site.reader.drawingModels()
        let isHeld = body["model"]?.string.flatMap { held[$0] } != nil
        _ = try JobSpec(body, models: isHeld ? held : .any)
        return body
    }

    /// What is wrong, and the form with what was written: going back, browsers may have forgotten it.
    private func refused(
        _ sent: FormFields, _ problems: [(String, String, String)], _ viewer: Viewer
    ) async throws -> Response {
        var model = site.frame(viewer, section: "playground", title: "Not published")
        model["problems"] = problems.map { ["pointer": $0, "found": $1, "allowed": $2] }
        var playground = try await form(
            viewer, concept: nil, model: nil, role: nil, noun: nil, tenant: sent["tenant"], sent: sent)
        playground["size_problem"] = problems.first { $0.0 == "/size" }.map { "found \($0.1); allowed: \($0.2)" }
        model["playground"] = playground
        return try site.templates.html("refused", model, status: .unprocessableContent)
    }

    /// The job that a form means; what is wrong with it the job's own check says.
    static func body(_ form: FormFields) throws -> JSONValue {
        let prompts = (form["prompts"] ?? "").split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        var body: [String: JSONValue] = [
            "version": 1, "model": .string(form["model"] ?? ""), "prompts": .array(prompts.map(JSONValue.string)),
        ]
        // Of a pair of which one is missing the check says so: without the other nobody meant to draw.
        let pair = ["subject", "style"].filter { form[$0] != nil }
        body["kind"] = pair.isEmpty ? "generate" : "compose"
        for name in pair { body[name] = form[name].map(JSONValue.string) }
        for name in ["images_per_prompt", "seed"] { body[name] = form[name].map(number) }
        body["size"] = form["size"].map { .string(size($0)) }
        var options: [String: JSONValue] = [:]
        for name in ["guidance", "temperature"] { options[name] = form[name].map(number) }
        options["negative_prompt"] = form["negative_prompt"].map(JSONValue.string)
        let strengths = strengths(form, prompts)
        if !strengths.isEmpty { body["strengths"] = .object(strengths) }
        if !options.isEmpty { body["options"] = .object(options) }
        return .object(body)
    }

    /// The strengths of the first and the second concept that the prompts name, where they are given.
    private static func strengths(_ form: FormFields, _ prompts: [String]) -> [String: JSONValue] {
        let names = ConceptMention.all(in: prompts).map(\.key).reduce(into: [String]()) {
            if !$0.contains($1) { $0.append($1) }
        }
        return Dictionary(
            uniqueKeysWithValues: zip(names, ["strength", "strength_2"]).compactMap { name, field in
                form[field].map { (name, number($0)) }
            })
    }

    /// A size as jobs have it; people write it as pages show it, too: `512 × 768`.
    private static func size(_ text: String) -> String {
        text.lowercased().replacing("×", with: "x").filter { !$0.isWhitespace }
    }

    /// A number, or the text that is none, for the job's check to complain of.
    private static func number(_ text: String) -> JSONValue {
        Int(text).map(JSONValue.integer) ?? Double(text).map(JSONValue.number) ?? .string(text)
    }
}
