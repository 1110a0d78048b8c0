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
        let options = try OptionTable.generation.values(of: order.spec["options"])
        let perPrompt = order.spec["images_per_prompt"]?.integer ?? 1
        try loaded.check(
            prompts.enumerated().map { ("/prompts/\($0)", $1) }, placeholders: order.adapters.keys.sorted().map { "<\($0)>" })
        let adapters = try order.adapters.mapValues { try Adapter(path: $0) }
        let model = try PersonalizedModel(model: loaded.model, adapters: adapters, modelDigest: loaded.digest)
        let pictures = try PictureSeries(
            prompts: prompts, perPrompt: perPrompt, seed: UInt64(order.spec["seed"]?.integer ?? 0), folder: order.workspace, connection: connection
        ).generate(model, guidance: try byScale("guidance", options), temperature: try byScale("temperature", options))
        let sheet = "\(order.workspace)/sheet.png"
        try Grid.rows(of: perPrompt > 1 ? perPrompt : min(prompts.count, 8), pictures).writePNG(sheet)
        try connection.sendArtifact(role: "sheet", path: sheet, mediaType: "image/png")
        return .done(.object(["pictures": .integer(pictures.count), "metrics": .object([:])]))
    }
}

extension GenerateWorker {
    /// An option's numbers, one for each scale of the model; nil where the model's own hold.
    private func byScale(_ name: String, _ options: [String: JSONValue]) throws -> [Float]? {
        let scales = loaded.model.configuration.schedule.sides.count
        guard let value = options[name], value != .null else { return nil }
        if let number = value.double { return Array(repeating: Float(number), count: scales) }
        let numbers = (value.array ?? []).compactMap(\.double).map(Float.init)
        guard numbers.count == scales else {
            let problem = Problem("/options/\(name)", found: "a list of \(numbers.count) numbers", allowed: "one number, or \(scales), one for each scale")
            throw JobFailure(code: "input.options", consequence: .rejected, message: "1 option cannot be used", problems: [problem])
        }
        return numbers
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

    /// - Throws: `AskedToStop` between two batches.
    func generate(_ model: PersonalizedModel, guidance: [Float]?, temperature: [Float]?) throws -> [Picture] {
        let all = prompts.flatMap { Array(repeating: $0, count: perPrompt) }
        let seeds = all.indices.map { index -> UInt64 in
            var generator = Philox(seed: seed, purpose: 0x9E, index: UInt64(index))
            return generator.next()
        }
        var pictures: [Picture] = []
        for start in stride(from: 0, to: all.count, by: batch) {
            if StopRequest.isPending { throw AskedToStop(step: start) }
            let range = start..<min(start + batch, all.count)
            var sampling = model.sampling(seeds: Array(seeds[range]))
            sampling.guidance = guidance ?? sampling.guidance
            sampling.temperature = temperature ?? sampling.temperature
            let some = model.generate(Array(all[range]), sampling: sampling)
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
