import Checkpoints
import Foundation
import Jobs

/// Low-rank adapters of other programs, and ARBooth's fine-tunes, as concepts of ours: names and shapes are held
/// against the model's own, numbers are copied.
package struct AdapterImport {
    /// What the adapter stands for in prompts.
    package struct Concept: Sendable {
        /// `rex`, for prompts with `<rex>`.
        package let name: String
        /// Whether it is a subject or a style.
        package let role: ConceptRole
        /// The noun of what was learnt.
        package let className: String
        /// The words it was trained with, which stand for its name in prompts of released diffusion models; unless
        /// said those in the file, else `sks`, or of a style `cic`.
        package let trigger: String?

        /// - Parameter trigger: of released diffusion models alone.
        package init(name: String, role: ConceptRole, className: String, trigger: String? = nil) {
            (self.name, self.role, self.className, self.trigger) = (name, role, className, trigger)
        }
    }

    /// Why a file was not imported: everything at once.
    package struct Refusal: Error, CustomStringConvertible {
        /// One a key or fault, each with the file it is in.
        package let problems: [String]
        /// A line a problem.
        package var description: String { problems.joined(separator: "\n") }
    }

    /// How a concept was learnt that is imported, and what is strange about it though it can be used.
    package struct Outcome: Sendable {
        /// `lora` or `arbooth`.
        package let method: String
        /// Places of a prompt that a mention takes, where that is not one.
        package var rows: Int?
        /// What stands for it in prompts of released diffusion models, where that was said or is in the file.
        package var trigger: String?
        /// A sentence each.
        package let warnings: [String]
    }

    private let model: ModelFolder
    /// The network's.
    private let weights: Checkpoint
    /// The text encoders', where adapters may change them.
    private let encoders: [String: Checkpoint]

    /// - Parameter model: one that draws, with its transformer.
    /// - Throws: ``Refusal`` of a model that draws nothing; `CheckpointError` where the transformer cannot be read.
    package init(model: ModelFolder) throws {
        self.model = model
        if let family = model.description?.family, !family.draws {
            throw Refusal(problems: [
                "\(model.name) is of the family \(family.rawValue), which draws nothing; name a model that draws"
            ])
        }
        weights = try Checkpoint.open(ModelFolder.network(in: model.folder))
        encoders = try ModelFolder.textEncoders(in: model.folder).mapValues { try Checkpoint.open($0) }
    }

    /// Writes an adapter of PEFT, diffusers or kohya, or a fine-tune of ARBooth's, as a concept's file.
    /// - Throws: ``Refusal`` naming every key without a place in the model, what is not built, what is not there and
    ///   numbers that are none, `CheckpointError` for damage, or what the file system says.
    @discardableResult
    package func write(_ path: String, as concept: Concept, to target: String) throws -> Outcome {
        if let fineTune = ARBoothImport(path, base: weights) {
            if let family = model.description?.family, family != .infinity {
                throw Refusal(problems: [
                    "\(path): it is ARBooth's, for an infinity; \(model.name) is of the family \(family.rawValue)"
                ])
            }
            try write(fineTune, as: concept, to: target)
            return Outcome(method: "arbooth", rows: fineTune.rowCount, warnings: nounless(concept))
        }
        var named = try AdapterReader(path).read()
        let mute = unsayable(named, concept).map { "\(path): \($0)" }
        if !mute.isEmpty || !(named.isOwn || ModelFolder.isPipeline(model.folder)) { named.words = [] }
        let (found, faults) = try placed(named)
        var problems = faults + unusable(named) + wordless(named, concept)
        if concept.trigger != nil, !ModelFolder.isPipeline(model.folder) {
            problems.append("a trigger is of released diffusion models; \(model.name) is none")
        }
        guard problems.isEmpty else { throw Refusal(problems: problems.sorted().map { "\(path): \($0)" }) }
        let tensors = try found.flatMap { module, change in
            let stem = module.component == nil ? "base_model.model.\(module.name)" : module.path
            return [
                try RawTensor(stem + ".lora_A.weight", change.down),
                try RawTensor(stem + ".lora_B.weight", upOf: change),
            ]
        }
        try RawTensor.write(
            tensors, to: target,
            metadata: [
                "format": AdapterReader.ownFormat,
                "description": try description(
                    concept, found, word: word(of: concept, named) ?? usualWord(of: concept, named),
                    actsOn: named.actsOn
                ).text,
            ])
        let isIdle = try found.values.allSatisfy { try $0.isZero }
        let idle = isIdle ? ["\(path): all of its changes are zero, so it changes nothing"] : []
        var outcome = Outcome(method: "lora", warnings: idle + nounless(concept) + mute)
        if ModelFolder.isPipeline(model.folder) { outcome.trigger = word(of: concept, named) }
        return outcome
    }

    /// The changes by where a concept's file has them, and what is wrong with places and numbers.
    private func placed(
        _ named: NamedChanges
    ) throws -> (found: [NamedChanges.Module: NamedChanges.Change], problems: [String]) {
        let places = AdapterPlaces(weights, encoders: encoders)
        var (found, problems): ([NamedChanges.Module: NamedChanges.Change], [String]) = ([:], [])
        var known: Set<String> = []
        for (module, change) in named.changes {
            let own = places[module]
            known.formUnion(own.map(\.module))
            // Whatever its shape is, a change of a table is refused as one.
            if change.isOfTable { continue }
            if own.isEmpty { problems.append("\(module.description) has no place in \(model.name)") }
            if let rows = own.compactMap(\.rows?.upperBound).max(), change.up.shape.first != rows {
                problems.append("\(module.description): \(change.up.shape) has not the \(rows) rows of its parts")
                continue
            }
            for place in own {
                guard let part = change.part(place), let key = key(of: place, part) else {
                    problems.append(
                        "\(module.description): \(change.up.shape) · \(change.down.shape) does not fit \(place.shape)")
                    continue
                }
                if found.updateValue(part, forKey: key) != nil {
                    problems.append("\(module.description): \(place.module) is changed twice; give one adapter alone")
                }
                if let problem = try part.problem(changing: weight(of: place)) {
                    problems.append("\(module.description): \(problem)")
                }
            }
        }
        return (found, problems + missing(named.targets ?? [], places, known))
    }

    private func weight(of place: AdapterPlaces.Place) throws -> [Float] {
        try (place.component.flatMap { encoders[$0] } ?? weights).values(of: place.module + ".weight")
    }

    /// Where a concept's file has a change: one of the network's matrices under PEFT's name, one of a text encoder or
    /// of a kernel, which is merged before anything is drawn, under diffusers'. Nil where the model has no such parts.
    private func key(of place: AdapterPlaces.Place, _ change: NamedChanges.Change) -> NamedChanges.Module? {
        let isPlain = place.shape.count == 2 && change.up.shape.count == 2 && change.down.shape.count == 2
        if place.component == nil, isPlain { return .init(name: place.module) }
        guard ModelFolder.isPipeline(model.folder) else { return nil }
        return .init(component: place.component ?? ModelFolder.networkName(in: model.folder), name: place.module)
    }

    /// Says which modules are not there that the file says it changes; what is there and does not fit is said already.
    private func missing(
        _ targets: [String], _ places: AdapterPlaces, _ found: Set<String>
    ) -> [String] {
        let all = Set(places.modules)
        // A module's whole name means no other whose name ends so.
        let wanted = places.modules.filter { module in
            targets.contains { module == $0 || module.hasSuffix("." + $0) && !all.contains($0) }
        }
        guard let first = wanted.filter({ !found.contains($0) }).min() else { return [] }
        let count = wanted.count(where: found.contains)
        return ["\(count) of the \(wanted.count) modules that it says it changes are there; \(first) is not"]
    }

    private func write(_ fineTune: ARBoothImport, as concept: Concept, to target: String) throws {
        if concept.trigger != nil {
            throw Refusal(problems: ["a trigger is of released diffusion models; \(model.name) is none"])
        }
        let text = description(concept, method: "arbooth", options: "{}", digest: try digest).text
        try CheckpointConversion(fineTune.tensors(), precision: .stored)
            .write(target, metadata: ["format": AdapterReader.ownFormat, "description": text])
    }

    private var digest: String { get throws { try ModelFolder.transformerDigest(in: model.folder) } }

    private func unusable(_ named: NamedChanges) -> [String] {
        var problems = named.changes.compactMap { module, change -> String? in
            if change.magnitude != nil {
                return "\(module.description): DoRA is no sum of products, and no concept here"
            }
            return change.isOfTable ? "\(module.description): changes of embedding tables are not built" : nil
        }
        // Chameleon's folder may hold a picture tokenizer that pictures never go through.
        problems += named.replaced.filter { !$0.key.name.contains("vqmodel.") && !isOwn($0.key, $0.value) }.map {
            "\($0.key.name): a whole weight in the place of the model's is not built"
        }
        return problems
    }

    /// Whether a whole weight is the model's own: PEFT keeps embeddings beside the changes of a head.
    private func isOwn(_ module: NamedChanges.Module, _ value: StoredTensor) -> Bool {
        let file = module.component.flatMap { encoders[$0] } ?? weights
        return (try? file.holds(value, as: module.name)) == true
    }

    /// The word a concept goes by: as it is said, or as our own file says of the one of that name, or of its only one.
    private func word(of concept: Concept, _ named: NamedChanges) -> String? {
        if let trigger = concept.trigger { return trigger }
        let only = named.words.count == 1 ? named.words.first : nil
        return (named.words.first { $0.concept == concept.name } ?? only)?.word
    }

    /// What is said of another program's trigger phrase that no prompt can have in it.
    private func unsayable(_ named: NamedChanges, _ concept: Concept) -> [String] {
        guard concept.trigger == nil, !named.isOwn, ModelFolder.isPipeline(model.folder),
            let phrase = named.words.first?.word, !TriggerPhrase.isOne(phrase)
        else { return [] }
        let brief = JSONValue.string(phrase).brief
        return ["its trigger phrase, \(brief), cannot stand in a prompt and is left out; give one (--trigger)"]
    }

    /// What is said of a subject whose class nobody names.
    private func nounless(_ concept: Concept) -> [String] {
        guard concept.role == .subject, concept.className.isEmpty else { return [] }
        return ["<\(concept.name)> has no class noun: evaluations measure it as of no class; give one (--class)"]
    }

    /// The word that `lora` gives styles, which other programs' forms have no place for; nil of a subject, whose word
    /// goes without saying, and of our own files, where former versions gave styles that of subjects.
    private func usualWord(of concept: Concept, _ named: NamedChanges) -> String? {
        guard concept.role == .style, !named.isOwn else { return nil }
        return ModelFolder.isPipeline(model.folder) ? "cic" : "<pad>"
    }

    /// What is wrong with the words of one of our own files.
    private func wordless(_ named: NamedChanges, _ concept: Concept) -> [String] {
        let learnt = named.embeddings.map { "\($0): a word with an embedding is not imported; learn the concept here" }
        guard word(of: concept, named) == nil, !named.words.isEmpty else { return learnt }
        let known = named.words.map(\.concept).joined(separator: ", ")
        return learnt + ["it knows \(known), and no \(concept.name): name one of them"]
    }

    private func description(
        _ concept: Concept, _ changes: [NamedChanges.Module: NamedChanges.Change], word: String?, actsOn: String?
    ) throws -> JSONValue {
        let scales = Dictionary(
            uniqueKeysWithValues: changes.map { ($0.key.path, JSONValue.number(Double($0.value.scale))) })
        let matrices = changes.keys.filter { $0.component == nil }.map(\.name).sorted()
        // By their names: a dictionary's first is another one in every run.
        let first = changes.min { $0.key.path < $1.key.path }?.value
        let rank = first?.rank ?? 1
        var options: [String: JSONValue] = [
            "rank": .integer(rank), "alpha": .number(Double(first?.scale ?? 1) * Double(rank)),
            "targets": .array(matrices.map(JSONValue.string)), "isRankStabilized": false,
            "scales": .object(scales),
        ]
        options["actsOn"] = actsOn.map(JSONValue.string)
        if let word {
            options["concepts"] = [
                [
                    "name": .string(concept.name), "className": .string(concept.className),
                    "word": .string(word),
                ]
            ]
        }
        return description(
            concept, method: "lora", options: JSONValue.object(options).text, digest: try digest)
    }

    private func description(
        _ concept: Concept, method: String, options: String, digest: String
    ) -> JSONValue {
        [
            "method": .string(method), "model": .string(model.name), "modelDigest": .string(digest),
            "concept": .string(concept.name), "role": .string(concept.role.rawValue),
            "className": .string(concept.className), "seed": 0, "iterations": 0,
            "options": .string(options),
        ]
    }
}

extension NamedChanges.Change {
    /// What it changes of a place; nil where it does not fit.
    fileprivate func part(_ place: AdapterPlaces.Place) -> NamedChanges.Change? {
        var part = self
        if let rows = place.rows {
            guard up.shape.count == 2 else { return nil }
            part.up = up.rows(rows)
        }
        part.isSwapped = place.isSwapped
        return part.fits(place.shape) ? part : nil
    }

    /// Whether it changes a weight [out, in], or a kernel [out, in, k, k].
    private func fits(_ shape: [Int]) -> Bool {
        guard down.shape.count > 1, up.shape.count > 1, rank > 0, up.shape[1] == rank else { return false }
        let (outputs, inputs) = (up.shape.reduce(1, *) / rank, down.shape.reduce(1, *) / rank)
        return outputs == shape[0] && inputs == shape.dropFirst().reduce(1, *)
    }
}
