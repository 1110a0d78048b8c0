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
    let concept: Concept
    let prompts: [String]
    let seed: UInt64
    /// Measures what was learned, where that can be measured.
    let evaluation: QuickEvaluation?
    /// What the job's result is to warn of already.
    let warnings: [String]

    /// Announces everything; gives the job's result.
    func finish(_ training: any ConceptTraining, _ curve: LossCurve) throws -> JSONValue {
        let path = "\(order.workspace)/\(concept.name).safetensors"
        try training.adapter(modelDigest: loaded.digest).write(path)
        training.detach()
        try connection.sendArtifact(role: "adapter", path: path, mediaType: "application/vnd.safetensors")
        // Samples come from the file as others will load it, half precision and all.
        let adapter = try Adapter(path: path)
        try sendForOthers(adapter)
        let painter = try ConceptPainter(loaded, adapters: [concept.name: adapter])
        let pictures = try PictureSeries(
            prompts: prompts, perPrompt: 1, seed: seed, folder: order.workspace, connection: connection
        ).generate(painter)
        try send(Grid.sections(of: 4, [concept.squares(of: loaded.pictureSize), pictures]), as: "sheet")
        try send(curve.plot(title: "\(concept.name): \(adapter.description.method)"), as: "curve")
        let report = evaluation?.report(painter, adapter.description) {
            connection.send(.progress(.init(stage: "evaluate", step: $0, steps: $1)))
        }
        return try result(adapter: path, steps: training.step, curve, report)
    }

    /// A LoRA adapter once more, as PEFT's `from_pretrained` reads it.
    private func sendForOthers(_ adapter: Adapter) throws {
        guard let lora = try adapter.lora() else { return }
        let folder = "\(order.workspace)/peft"
        try lora.write(folder, baseModel: loaded.name)
        for (name, type) in [
            ("adapter_config.json", "application/json"), ("adapter_model.safetensors", "application/vnd.safetensors"),
        ] {
            try connection.sendArtifact(role: "peft", path: "\(folder)/\(name)", mediaType: type)
        }
    }

    private func result(
        adapter path: String, steps: Int, _ curve: LossCurve, _ report: QuickEvaluation.Report?
    ) throws -> JSONValue {
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        var metrics = curve.latest.mapValues(JSONValue.number)
        metrics["steps"] = .integer(steps)
        metrics["adapter_bytes"] = .integer(bytes)
        var result: [String: JSONValue] = [
            "adapter": .string("sha256:" + (try SHA256Digest.ofFile(path).description)),
            "concept": .string(concept.name),
        ]
        if let report {
            metrics.merge(report.row.scores.mapValues { .number($0.mean) }) { $1 }
            result["suite"] = .string(QuickEvaluation.suite.name)
            result["table"] = .array([report.row.json])
            result["drift"] = report.drift?.json
            result["likeness"] = report.likeness?.json
        }
        result["warnings"] = .array((warnings + (report?.warnings ?? [])).map(JSONValue.string))
        result["metrics"] = .object(metrics)
        return .object(result)
    }

    private func send(_ picture: Picture, as role: String) throws {
        let path = "\(order.workspace)/\(role).png"
        try picture.writePNG(path)
        try connection.sendArtifact(role: role, path: path, mediaType: "image/png")
    }
}
