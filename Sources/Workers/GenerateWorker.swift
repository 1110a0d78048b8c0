import Foundation
import Images
import Jobs
import Personalization
import Randomness

/// Pictures of prompts, with or without concepts.
struct GenerateWorker {
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection

    func run() throws -> WorkOutcome {
        let prompts = order.spec["prompts"]?.array?.compactMap(\.string) ?? []
        let perPrompt = order.spec["images_per_prompt"]?.integer ?? 1
        let adapters = try order.adapters.mapValues { try Adapter(path: $0) }
        let model = try PersonalizedModel(model: loaded.model, adapters: adapters, modelDigest: loaded.digest)
        try check(prompts, model)
        let pictures = try PictureSeries(
            prompts: prompts, perPrompt: perPrompt, seed: UInt64(order.spec["seed"]?.integer ?? 0), folder: order.workspace, connection: connection
        ).generate(model, guidance: order.spec["options"]?["guidance"]?.double, temperature: order.spec["options"]?["temperature"]?.double)
        let sheet = "\(order.workspace)/sheet.png"
        try Grid.rows(of: perPrompt > 1 ? perPrompt : min(prompts.count, 8), pictures).writePNG(sheet)
        try connection.sendArtifact(role: "sheet", path: sheet, mediaType: "image/png")
        return .done(.object(["pictures": .integer(pictures.count), "metrics": .object([:])]))
    }

    /// A prompt the model cannot read whole is the sender's to mend.
    private func check(_ prompts: [String], _ model: PersonalizedModel) throws {
        let limit = loaded.model.configuration.transformer.textLength
        let problems = prompts.enumerated().compactMap { index, prompt -> Problem? in
            let count = model.tokenCount(prompt)
            return count <= limit ? nil : Problem("/prompts/\(index)", found: "\(count) tokens", allowed: "at most \(limit) tokens")
        }
        if !problems.isEmpty {
            throw JobFailure(code: "input.prompt", consequence: .rejected, message: "\(problems.count) prompts are too long", problems: problems)
        }
    }
}

/// Pictures of a list of prompts, announced one by one; each picture's seed follows from the job's seed and its place.
struct PictureSeries {
    let prompts: [String]
    let perPrompt: Int
    let seed: UInt64
    let folder: String
    let connection: EngineConnection
    private let batch = 8

    init(prompts: [String], perPrompt: Int, seed: UInt64, folder: String, connection: EngineConnection) {
        self.prompts = prompts
        self.perPrompt = perPrompt
        self.seed = seed
        self.folder = folder
        self.connection = connection
    }

    func generate(_ model: PersonalizedModel, guidance: Double?, temperature: Double?) throws -> [Picture] {
        let all = prompts.flatMap { Array(repeating: $0, count: perPrompt) }
        let seeds = all.indices.map { index -> UInt64 in
            var generator = Philox(seed: seed, purpose: 0x9E, index: UInt64(index))
            return generator.next()
        }
        var pictures: [Picture] = []
        for start in stride(from: 0, to: all.count, by: batch) {
            let range = start..<min(start + batch, all.count)
            let some = model.generate(Array(all[range]), seeds: Array(seeds[range]), guidance: guidance.map(Float.init), temperature: temperature.map(Float.init))
            for (index, picture) in zip(range, some) {
                let path = "\(folder)/picture-\(String(format: "%03d", index + 1)).png"
                try picture.writePNG(path)
                try connection.sendArtifact(role: "picture", path: path, mediaType: "image/png", prompt: all[index], seed: seeds[index])
            }
            pictures += some
            connection.send(.progress(.init(stage: "generate", step: pictures.count, steps: all.count)))
        }
        return pictures
    }
}
