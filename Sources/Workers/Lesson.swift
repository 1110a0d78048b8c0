import Foundation
import Hashing
import Images
import Jobs
import Personalization

/// What is handed out when a concept is learned: the adapter, pictures drawn with it, the sheet of references and pictures, the curve.
struct Lesson {
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection
    let concept: Concept
    let prompts: [String]
    let seed: UInt64

    /// Announces everything; gives the job's result.
    func finish(_ training: any ConceptTraining, _ curve: LossCurve) throws -> JSONValue {
        let path = "\(order.workspace)/\(concept.name).safetensors"
        try training.adapter(modelDigest: loaded.digest).write(path)
        training.detach()
        try connection.sendArtifact(role: "adapter", path: path, mediaType: "application/vnd.safetensors")
        // Samples come from the file as others will load it, half precision and all.
        let adapter = try Adapter(path: path)
        try sendForOthers(adapter)
        let pictures = try PictureSeries(prompts: prompts, perPrompt: 1, seed: seed, folder: order.workspace, connection: connection)
            .generate(ConceptPainter(loaded, adapters: [concept.name: adapter]))
        try send(Grid.rows(of: 4, padded(concept.references) + padded(pictures)), as: "sheet")
        try send(curve.plot(title: "\(concept.name): \(adapter.description.method)"), as: "curve")
        return try result(adapter: path, steps: training.step, curve)
    }

    /// A LoRA adapter once more, as PEFT's `from_pretrained` reads it.
    private func sendForOthers(_ adapter: Adapter) throws {
        guard let lora = try adapter.lora() else { return }
        let folder = "\(order.workspace)/peft"
        try lora.write(folder, baseModel: loaded.name)
        for (name, type) in [("adapter_config.json", "application/json"), ("adapter_model.safetensors", "application/vnd.safetensors")] {
            try connection.sendArtifact(role: "peft", path: "\(folder)/\(name)", mediaType: type)
        }
    }

    private func result(adapter path: String, steps: Int, _ curve: LossCurve) throws -> JSONValue {
        let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        var metrics = curve.latest.mapValues(JSONValue.number)
        metrics["steps"] = .integer(steps)
        metrics["adapter_bytes"] = .integer(bytes)
        return .object([
            "adapter": .string("sha256:" + (try SHA256Digest.ofFile(path).description)), "concept": .string(concept.name), "metrics": .object(metrics),
        ])
    }

    /// Whole rows of four.
    private func padded(_ pictures: [Picture]) -> [Picture] {
        let missing = (4 - pictures.count % 4) % 4
        return pictures + (0..<missing).map { _ in Picture(width: pictures[0].width, height: pictures[0].height, filledWith: (255, 255, 255)) }
    }

    private func send(_ picture: Picture, as role: String) throws {
        let path = "\(order.workspace)/\(role).png"
        try picture.writePNG(path)
        try connection.sendArtifact(role: role, path: path, mediaType: "image/png")
    }
}
