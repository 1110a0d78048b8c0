import Catalogue
import Evaluation
import Foundation
import Images
import Jobs
import Personalization
import Tensors

/// Measures concepts over a suite of prompts: a table, the means, and of every concept a sheet of pictures under its
/// references.
struct EvaluateWorker {
    let spec: EvaluateSpec
    let order: EngineOrder
    let connection: EngineConnection
    private let encoders: MetricEncoders
    private let suite: PromptSuite
    private let classPictures: Int
    private let seeds: [UInt64]

    init(spec: EvaluateSpec, order: EngineOrder, connection: EngineConnection) throws {
        (self.spec, self.order, self.connection) = (spec, order, connection)
        let options = try OptionValues(spec.options, of: .evaluation)
        encoders = try MetricEncoders.installed(order.models, options, of: spec.model)
        suite =
            switch spec.prompts {
            case .suite(let name): PromptSuite(name)
            case .own(let prompts): PromptSuite(name: "own", templates: prompts)
            }
        classPictures = options["class_pictures"]?.integer ?? 0
        seeds = (spec.seeds ?? [spec.seed ?? 0]).map(UInt64.init)
    }

    private var concepts: [String] { spec.concepts }
    private var perPrompt: Int { spec.perPrompt }

    /// What a concept is measured by.
    private struct Measured {
        let concept: Concept
        let adapter: Adapter
        let metrics: ConceptMetrics

        /// Whether it is another subject: not a version of the same, nor what was learnt from the same pictures.
        func isKeptApart(from other: Measured) -> Bool {
            guard concept.role == .subject, other.concept.role == .subject else { return false }
            func name(_ one: Measured) -> Substring { one.concept.name.prefix { $0 != "@" } }
            return name(self) != name(other) && !concept.references.contains(where: other.concept.references.contains)
        }
    }

    func run() throws -> JSONValue {
        var rows: [ConceptRow] = []
        var warnings: [String] = []
        var measured: [Measured] = []
        for index in concepts.indices {
            // One concept on a model of its own, for adapters change weights.
            let loaded = try LoadedModel(spec.model, in: order.models)
            if index == 0 {
                connection.sendStarted(on: loaded)
                measured = try concepts.map { try self.measured($0, loaded, &warnings) }
            }
            let row = try row(
                measured[index], loaded, besides: measured.filter(measured[index].isKeptApart(from:)).map(\.metrics),
                before: index, &warnings)
            connection.send(.metric(.init(step: index + 1, values: row.scores.mapValues(\.mean))))
            rows.append(row)
        }
        let means = ConceptRow.means(rows).mapValues(JSONValue.number)
        return .object([
            "suite": .string(suite.name), "table": .array(rows.map(\.json)), "metrics": .object(means),
            "warnings": .array(warnings.map(JSONValue.string)),
        ])
    }

    private func measured(
        _ name: String, _ loaded: LoadedModel, _ warnings: inout [String]
    ) throws -> Measured {
        guard let path = order.adapters[name] else {
            throw JobFailure(
                code: "concept.unknown", consequence: .rejected,
                message: "there is no adapter of <\(name)>; name its file with --adapter \(name)=FILE")
        }
        let adapter = try Adapter(path: path)
        let concept = try concept(name, adapter.description(usedAs: name), loaded, &warnings)
        // Photographs of all concepts would fill the memory; once they are seen the sheet's squares will do.
        let small = Concept(
            name: name, role: concept.role, className: concept.className,
            references: concept.squares(of: loaded.pictureSize), wording: concept.wording)
        return Measured(
            concept: small, adapter: adapter,
            metrics: ConceptMetrics(references: concept.references, by: encoders))
    }

    /// - Parameter others: subjects that this one is to be kept apart from.
    private func row(
        _ measured: Measured, _ loaded: LoadedModel, besides others: [ConceptMetrics], before: Int,
        _ warnings: inout [String]
    ) throws -> ConceptRow {
        let (concept, adapter) = (measured.concept, measured.adapter)
        let name = concept.name
        let (prompts, suite) = try prompts(concept, adapter, loaded, &warnings)
        let plan = EvaluationPictures.Plan(
            prompts: prompts.map(\.asked), perPrompt: perPrompt, classPrompts: concept.classPrompts,
            classPictures: concept.role == .subject ? classPictures : 0)
        let described = prompts.map(\.described)
        warnings += encoders.remarks(on: described, of: concept.role).map { "<\(name)>: \($0)" }
        let painter = try ConceptPainter(loaded, adapters: [name: adapter])
        // A round is scored before the next is drawn: the pictures of one are in memory at a time.
        let scores = try seeds.indices.map { round in
            let drawn = draw(plan, painter, round: round, before: before)
            if round == 0 { try sendSheet(concept.squares(of: loaded.pictureSize), drawn.groups, of: name) }
            return measured.metrics.scores(of: concept.role, drawn, prompts: described, besides: others)
        }
        let row = ConceptRow(
            name: name, description: adapter.description(usedAs: name), suite: suite,
            pictures: plan.count * seeds.count,
            rounds: scores)
        warnings += row.warnings.map { "<\(name)>: \($0)" }
        return row
    }

    /// With the pictures it is held against: those the job brings, or those it was learned from.
    private func concept(
        _ name: String, _ description: Adapter.Description, _ loaded: LoadedModel, _ warnings: inout [String]
    ) throws -> Concept {
        // Former versions learnt from parts of any size: those are no fault of this job.
        let learnt = order.references?[name]
        let references = try ReferencePictures(
            learnt ?? order.files, size: loaded.pictureSize, holdsParts: learnt == nil)
        guard !references.pictures.isEmpty else {
            throw JobFailure(
                code: "input.image", consequence: .rejected,
                message: "there are no pictures to hold <\(name)> against; give them in /images")
        }
        // The pictures of the job that learnt it are none of this one's.
        warnings += references.warnings.map { learnt == nil ? $0 : "<\(name)> was learnt from \($0)" }
        warnings += nounless(name, description)
        return Concept(
            name: name, role: description.role, className: description.className,
            references: references.pictures,
            wording: loaded.styleWording)
    }

    /// What is said of a concept whose class nobody named: of a subject as of an import without `--class`, of a style
    /// where the job's own prompts ask for it.
    private func nounless(_ name: String, _ description: Adapter.Description) -> [String] {
        guard description.className.isEmpty else { return [] }
        if description.role == .subject {
            return ["<\(name)> has no class noun: CLIP-T and PRES are as of no class; import it again with --class"]
        }
        guard case .own(let prompts) = spec.prompts, prompts.contains(where: { $0.contains("{class}") }) else {
            return []
        }
        return ["<\(name)> was learnt without a class noun: nothing stands for {class} in its prompts"]
    }

    /// A suite's prompts in the method's own words, the job's own as they are. What the model cannot read whole is the
    /// sender's to mend where it is the sender's; of a suite it is left out, with a warning, and what is left has a
    /// name of its own: its figures are not those of the whole.
    private func prompts(
        _ concept: Concept, _ adapter: Adapter, _ loaded: LoadedModel, _ warnings: inout [String]
    ) throws -> (prompts: [(asked: String, described: String)], suite: String) {
        let isOwn = if case .own = spec.prompts { true } else { false }
        let prompts =
            isOwn
            ? suite.templates.map { PromptSuite.prompts($0, concept: concept.name, className: concept.className) }
            : ConceptWording(method: adapter.description.method).prompts(suite, for: concept)
        let texts = prompts.enumerated().map { ("\(isOwn ? "/prompts" : "/suite")/\($0)", $1.asked) }
        let rows = [concept.name: adapter.outputRows?.rows ?? 1]
        let problems = loaded.tooLong(
            texts, concepts: [concept.name], spelled: try ConceptSpellings([concept.name: adapter]), rows: rows)
        if problems.isEmpty { return (prompts, suite.name) }
        if isOwn || problems.count == texts.count { throw LoadedModel.rejection(problems) }
        let left = zip(texts, prompts).filter { text, _ in !problems.contains { $0.pointer == text.0 } }.map(\.1)
        let which = problems.map { "\($0.pointer) has \($0.found), allowed are \($0.allowed)" }.joined(separator: "; ")
        warnings.append(
            """
            \(counted(problems.count, "prompt", "is", "are")) too long for \(loaded.description.name) with \
            <\(concept.name)>, and left out of the \(texts.count) of \(suite.name): \(which)
            """)
        return (left, "\(suite.name) (\(left.count) of \(texts.count))")
    }

    /// A round of pictures, which has a seed of its own.
    private func draw(
        _ plan: EvaluationPictures.Plan, _ painter: ConceptPainter, round: Int, before: Int
    ) -> EvaluationPictures {
        EvaluationPictures(plan, seed: seeds[round], paint: painter.paint) { drawn in
            let done = (before * seeds.count + round) * plan.count + drawn
            connection.send(
                .progress(.init(stage: "draw", step: done, steps: concepts.count * seeds.count * plan.count)))
        }
    }

    /// The references above, below them a row or more for every prompt.
    private func sendSheet(_ references: [Picture], _ groups: [[Picture]], of name: String) throws {
        let path = "\(order.workspace)/\(name).sheet.png"
        try Grid.sections(of: max(4, perPrompt), [references] + (perPrompt < 3 ? [groups.flatMap { $0 }] : groups))
            .writePNG(path)
        try connection.sendArtifact(role: .sheet, path: path, mediaType: "image/png")
    }
}

extension ConceptMetrics {
    /// A subject's scores, or a style's, of pictures of these prompts and of the class where there are any.
    /// - Parameter others: subjects that a subject is to be kept apart from.
    func scores(
        of role: ConceptRole, _ pictures: EvaluationPictures, prompts: [String], besides others: [ConceptMetrics] = []
    ) -> [Score] {
        switch role {
        case .subject:
            subject(pictures.groups, prompts: prompts, classPictures: pictures.classPictures, besides: others)
        case .style: style(pictures.groups, prompts: prompts)
        }
    }
}

extension PromptSuite {
    /// The one a job names.
    init(_ name: SuiteName) {
        self =
            switch name {
            case .dreamBenchObject: .dreamBenchObject
            case .dreamBenchLiving: .dreamBenchLiving
            case .littleWorld: .littleWorld
            }
    }
}

extension MetricEncoders {
    /// Those an evaluation's options name, or its model.
    /// - Throws: `JobFailure` saying what is missing and what to do.
    static func installed(_ models: String, _ options: OptionValues, of model: String) throws -> MetricEncoders {
        do {
            let own = try ModelFolder.written("\(models)/\(model)")?.encoders
            return try MetricEncoders(
                directory: models, .init(own, clip: options["clip"]?.string, dino: options["dino"]?.string))
        } catch let missing as Missing {
            let remedy =
                """
                install it (atelierctl models add), or name another in /options
                """
            throw JobFailure(code: "encoder.missing", consequence: .fatal, message: "\(missing); \(remedy)")
        } catch {
            throw JobFailure(code: "encoder.damaged", consequence: .fatal, message: "\(error)")
        }
    }
}

extension MetricEncoders {
    /// Those of these names, in the folder of all models.
    init(directory: String, _ names: ModelDescription.Encoders) throws {
        try self.init(directory: directory, clip: names.clip, dino: names.dino)
    }

    /// Holds what the configurations of those say against what is to be there.
    static func check(directory: String, _ names: ModelDescription.Encoders) throws {
        try check(directory: directory, clip: names.clip, dino: names.dino)
    }
}

extension ModelDescription.Encoders {
    /// A model's own, where no others are named; the pocket models' of a model that names none.
    init(_ own: Self?, clip: String? = nil, dino: String? = nil) {
        self.init(clip: clip ?? own?.clip ?? "pocket-clip", dino: dino ?? own?.dino ?? "pocket-dino")
    }
}
