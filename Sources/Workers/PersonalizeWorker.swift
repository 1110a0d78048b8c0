import Foundation
import Hashing
import Images
import Jobs
import Layers
import Personalization

/// Learns a concept by ARBooth: an adapter, sample pictures, the loss curve, metrics.
struct PersonalizeWorker {
    let order: EngineOrder
    let loaded: LoadedModel
    let connection: EngineConnection

    private var conceptName: String { order.spec["concept"]?["name"]?.string ?? "concept" }
    private var className: String { order.spec["concept"]?["class"]?.string ?? "" }
    private var seed: UInt64 { UInt64(order.spec["seed"]?.integer ?? 0) }

    func run() throws -> WorkOutcome {
        let options = try ARBoothOptionsReader(order.spec["options"]).options()
        let references = try referencePictures()
        let subject = ARBoothTraining.Subject(name: conceptName, className: className, references: references)
        try loaded.check(
            [("/concept/class", "a photo of a \(subject.placeholder) \(className) on the beach")] + askedPrompts.enumerated().map { ("/prompts/\($0)", $1) }, placeholders: [subject.placeholder])
        connection.send(.progress(.init(stage: "prepare", step: 0, steps: 1)))
        let training = try ARBoothTraining(model: loaded.model, subject: subject, options: options, seed: seed)
        var curve = LossCurve()
        if let resume = order.resume {
            try training.restore(OptimizerState(path: resume))
            curve = LossCurve(path: resume + ".losses") ?? curve
        }
        guard try train(training, &curve) else { return .interrupted(step: training.step) }
        return .done(try finish(training, references, options, curve))
    }

    /// Decoded, squared and brought to the model's size.
    private func referencePictures() throws -> [Picture] {
        let size = loaded.model.configuration.pictureSize
        var problems: [Problem] = [], pictures: [Picture] = []
        for (index, path) in order.images.enumerated() {
            do {
                let picture = try Picture(pngFile: path), side = min(picture.width, picture.height)
                // Cropped before it is resized: a picture 8192 pixels wide and one high would first become enormous.
                pictures.append(picture.centreCropped(width: side, height: side).resized(width: size, height: size))
            } catch {
                problems.append(Problem("/images/\(index)", found: "\(error)", allowed: "a PNG picture of at most 8192 pixels a side"))
            }
        }
        if !problems.isEmpty {
            throw JobFailure(code: "input.image", consequence: .rejected, message: "\(problems.count) of \(order.images.count) pictures cannot be used", problems: problems)
        }
        return pictures
    }

    /// Trains to the end, or until asked to stop (false), with checkpoints on the way.
    private func train(_ training: ARBoothTraining, _ curve: inout LossCurve) throws -> Bool {
        let steps = training.options.iterations
        var lastCheckpoint = Date(), lastProgress = Date.distantPast
        while training.step < steps {
            let losses = training.advance()
            guard losses.total.isFinite else {
                throw JobFailure(code: "training.diverged", consequence: .fatal, message: "the loss is \(losses.total) at step \(training.step); try a smaller learning rate")
            }
            curve.add(step: training.step, losses)
            if training.step % 20 == 0 || training.step == steps { connection.send(.metric(.init(step: training.step, values: curve.latest))) }
            if Date().timeIntervalSince(lastProgress) > 1 || training.step == steps {
                connection.send(.progress(.init(stage: "train", step: training.step, steps: steps)))
                lastProgress = Date()
            }
            let isAskedToStop = StopRequest.isPending && training.step < steps
            if isAskedToStop || Date().timeIntervalSince(lastCheckpoint) > Double(order.checkpointSeconds) {
                try writeCheckpoint(training, curve)
                lastCheckpoint = Date()
            }
            if isAskedToStop { return false }
        }
        return true
    }

    private func writeCheckpoint(_ training: ARBoothTraining, _ curve: LossCurve) throws {
        let path = "\(order.workspace)/checkpoint-\(training.step).safetensors"
        try curve.write(path + ".losses")
        try training.state.write(path, metadata: ["kind": "arbooth", "concept": conceptName])
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        connection.send(.checkpoint(.init(step: training.step, path: path, sha256: try SHA256Digest.ofFile(path).description, bytes: size)))
    }

    private func finish(_ training: ARBoothTraining, _ references: [Picture], _ options: ARBoothOptions, _ curve: LossCurve) throws -> JSONValue {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let adapterPath = "\(order.workspace)/\(conceptName).safetensors"
        try training.adapter(
            modelName: loaded.model.configuration.name, modelDigest: loaded.digest,
            options: String(decoding: try encoder.encode(options), as: UTF8.self)
        ).write(adapterPath)
        try connection.sendArtifact(role: "adapter", path: adapterPath, mediaType: "application/vnd.safetensors")
        // Samples come from the file as others will load it, half precision and all.
        let model = try PersonalizedModel(model: loaded.model, adapters: [conceptName: Adapter(path: adapterPath)], modelDigest: loaded.digest)
        let pictures = try PictureSeries(prompts: samplePrompts, perPrompt: 1, seed: seed, folder: order.workspace, connection: connection)
            .generate(model, guidance: nil, temperature: nil)
        try send(Grid.rows(of: 4, padded(references) + padded(pictures)), as: "sheet")
        try send(curve.plot(title: "\(conceptName): arbooth"), as: "curve")
        let bytes = try FileManager.default.attributesOfItem(atPath: adapterPath)[.size] as? Int ?? 0
        var metrics = curve.latest.mapValues(JSONValue.number)
        metrics["steps"] = .integer(training.step)
        metrics["adapter_bytes"] = .integer(bytes)
        return .object([
            "adapter": .string("sha256:" + (try SHA256Digest.ofFile(adapterPath).description)), "concept": .string(conceptName),
            "metrics": .object(metrics),
        ])
    }

    private var askedPrompts: [String] { order.spec["prompts"]?.array?.compactMap(\.string) ?? [] }

    private var samplePrompts: [String] {
        let subject = "a photo of a <\(conceptName)> \(className)"
        return askedPrompts.isEmpty ? ["", " on the beach", " in the snow", " in the jungle"].map { subject + $0 } : askedPrompts
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
