import Checkpoints
import Foundation
import Hashing
import Images
import Jobs
import Personalization

/// What is handed out when a concept is learned: the adapter, pictures drawn with it, the sheet of references and
/// pictures, the curve.
struct PersonalizationOutput {
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection
    /// At least one; the adapter is called like the first.
    let concepts: [Concept]
    let prompts: [String]
    let seed: UInt64
    /// Measures what was learned, by the concepts' names, where that can be measured.
    let evaluations: [String: QuickEvaluation]
    /// What the job's result is to warn of already.
    let warnings: [String]

    private var concept: Concept { concepts[0] }

    /// Announces everything; gives the job's result.
    /// - Parameter learnt: no longer hangs on the model, and nothing is left of its training: what is drawn here needs
    ///   the memory.
    /// - Throws: `JobFailure` where nothing can be drawn with it, for its training diverged.
    func finish(_ learnt: Adapter, _ curve: LossCurve) throws -> JSONValue {
        let path = "\(order.workspace)/\(concept.name).safetensors"
        try learnt.write(path)
        let (adapter, painter) = try inUse(path)
        try connection.sendArtifact(role: .adapter, path: path, mediaType: "application/vnd.safetensors")
        try sendForOthers(adapter)
        let pictures = try PictureSeries(
            prompts: prompts, perPrompt: 1, seed: seed, folder: order.workspace, connection: connection
        ).generate(painter)
        try send(Grid.sections(of: 4, concepts.map { $0.squares(of: loaded.pictureSize) } + [pictures]), as: .sheet)
        let names = concepts.map(\.name).joined(separator: ", ")
        try send(curve.plot(title: "loss over steps, \(adapter.description.method.rawValue): \(names)"), as: .curve)
        return try result(adapter: path, steps: learnt.description.iterations, curve, reports(painter, adapter))
    }

    /// What is measured of each concept, by their names, in one count of all pictures.
    private func reports(
        _ painter: ConceptPainter, _ adapter: Adapter
    ) -> [(name: String, report: QuickEvaluation.Report)] {
        let measured = concepts.compactMap { concept in
            evaluations[concept.name].map { (name: concept.name, evaluation: $0) }
        }
        return measured.enumerated().map { index, one in
            let others = measured.filter { $0.name != one.name }.map(\.evaluation)
            let report = one.evaluation.report(painter, adapter, besides: others) {
                let step = index * $1 + $0
                connection.send(.progress(.init(stage: "evaluate", step: step, steps: measured.count * $1)))
            }
            return (name: one.name, report: report)
        }
    }

    /// What was learnt, from the file as others will load it, half precision and all.
    private func inUse(_ path: String) throws -> (Adapter, ConceptPainter) {
        do {
            let adapter = try Adapter(path: path)
            let adapters = Dictionary(uniqueKeysWithValues: concepts.map { ($0.name, adapter) })
            return (adapter, try ConceptPainter(loaded, adapters: adapters))
        } catch let error as AdapterError {
            // In the folder of a run it would pass for what was learnt.
            try? FileManager.default.removeItem(atPath: path)
            throw error.ofTraining
        }
    }

    /// A LoRA adapter once more, as PEFT's `from_pretrained` reads it; what has no place there is told beside it.
    private func sendForOthers(_ adapter: Adapter) throws {
        guard let lora = try adapter.lora() else { return }
        let folder = "\(order.workspace)/peft"
        // Of another model PEFT would ask for what a language model has.
        let task = loaded.description.family == .chameleon ? "CAUSAL_LM" : nil
        let words = adapter.known.compactMap { one in one.word.map { (concept: one.name, word: $0) } }
        try lora.write(folder, taskType: task, words: words)
        for (name, type) in [
            ("adapter_config.json", "application/json"), ("adapter_model.safetensors", "application/vnd.safetensors"),
        ] {
            try connection.sendArtifact(role: .peft, path: "\(folder)/\(name)", mediaType: type)
        }
        let path = "\(folder)/adapter_readme.txt"
        let wording = AdapterFormat.wording(of: words).map { [$0] } ?? []
        let lacking = adapter.embeddings.map(AdapterFormat.peft.lacking)
        let remarks = wording + lacking + (adapter.actsOnWords ? [AdapterFormat.peft.spreading] : [])
        guard !remarks.isEmpty else {
            // An earlier run's in the same folder would tell of words that this adapter has not.
            try? FileManager.default.removeItem(atPath: path)
            return
        }
        try Data(remarks.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try connection.sendArtifact(role: .peft, path: path, mediaType: "text/plain")
    }

    private func result(
        adapter path: String, steps: Int, _ curve: LossCurve,
        _ reports: [(name: String, report: QuickEvaluation.Report)]
    ) throws -> JSONValue {
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        var metrics = curve.latest.mapValues(JSONValue.number)
        metrics["steps"] = .integer(steps)
        metrics["adapter_bytes"] = .integer(bytes)
        var result: [String: JSONValue] = [
            "adapter": .string("sha256:" + (try SHA256Digest.ofFile(path).description)),
            "concept": .string(concept.name),
        ]
        if concepts.count > 1 { result["concepts"] = .array(concepts.map { .string($0.name) }) }
        if !reports.isEmpty {
            let rows = reports.map(\.report.row)
            metrics.merge(ConceptRow.means(rows).mapValues { .number($0) }) { $1 }
            result["suite"] = .string(QuickEvaluation.suite.name)
            result["table"] = .array(rows.map(\.json))
        }
        if concepts.count == 1 {
            result["drift"] = reports.first?.report.drift?.json
            result["likeness"] = reports.first?.report.likeness.json
        } else {
            let drifts = reports.compactMap { name, report in report.drift.map { (name, $0.json) } }
            result["drift"] = .object(Dictionary(uniqueKeysWithValues: drifts))
            result["likeness"] = .object(
                Dictionary(uniqueKeysWithValues: reports.map { ($0.name, $0.report.likeness.json) }))
        }
        result["warnings"] = .array((warnings + reports.flatMap(named)).map(JSONValue.string))
        result["metrics"] = .object(metrics)
        return .object(result)
    }

    /// Of several concepts each warning says whose it is.
    private func named(_ name: String, _ report: QuickEvaluation.Report) -> [String] {
        concepts.count == 1 ? report.warnings : report.warnings.map { "<\(name)>: \($0)" }
    }

    private func send(_ picture: Picture, as role: ArtifactRole) throws {
        let path = "\(order.workspace)/\(role.rawValue).png"
        try picture.writePNG(path)
        try connection.sendArtifact(role: role, path: path, mediaType: "image/png")
    }
}
