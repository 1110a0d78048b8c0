import Autograd
import Backbones
import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Images
import ModelTesting
import Tensors
import Testing

@testable import Personalization

private let releases = sharedFolder("releases")

/// Adapters in every form they come in are, once they are concepts, the changes that the reference computes: of the
/// network's matrices and kernels, and of both text encoders.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleasedAdapterTests {
    private let models: TinyModels
    private let model: ModelFolder
    private let expected, base: Checkpoint
    private let adapters = "\(releases ?? "")/adapters-sdxl"

    init() throws {
        models = try TinyModels()
        model = try models.addSDXL(from: releases!)
        expected = try Checkpoint.open("\(adapters)/expected.safetensors")
        base = try Checkpoint.open("\(releases!)/sdxl/expected.safetensors")
    }

    private func imported(_ path: String, as name: String = "rex") throws -> String {
        let file = "\(models.folder)/\(name).safetensors"
        try AdapterImport(model: model).write(path, as: .init(name: "rex", role: .subject, className: "dog"), to: file)
        return file
    }

    /// The model with a concept in use.
    private func pipeline(
        _ file: String, strength: Float = 1, joining: AdapterJoining = .merged
    ) throws
        -> DiffusionPipeline
    {
        let pipeline = try DiffusionPipeline(directory: model.folder)
        let adapter = try Adapter(path: file)
        _ = try PersonalizedDiffusion(
            model: pipeline, adapters: ["rex": adapter], modelDigest: adapter.description.modelDigest,
            joining: joining, strengths: ["rex": strength])
        return pipeline
    }

    private func tensor(_ name: String, in file: Checkpoint) throws -> Tensor { try file.tensor(name).tensor() }

    private func expectNear(_ tensor: Tensor, _ name: String, _ adapter: String) throws {
        let wanted = try self.tensor(name, in: expected)
        let error = largestDifference(tensor.values, wanted.values)
        #expect(error <= 1e-4 * wanted.maximumMagnitude, "\(adapter): \(name) \(error)")
    }

    private func expectPrediction(_ pipeline: DiffusionPipeline, _ name: String, _ adapter: String) throws {
        let text = DiffusionText(
            tokens: .init(try tensor("prompt_embeds", in: base)), pooled: .init(try tensor("pooled", in: base)))
        let noise = Variable(try tensor("noise", in: base))
        let output = Recording.withoutGradients {
            pipeline.predicted(noise, timesteps: [481], text: text, guidance: 1).value
        }
        try expectNear(output, name, adapter)
    }

    @Test func everyFormIsTheChangeOfTheReference() throws {
        let prompt =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(filePath: "\(adapters)/expected.json"))) as? [String: Any]
        let files = try FileManager.default.contentsOfDirectory(atPath: adapters).filter { $0.hasPrefix("u") }
        #expect(files.count == 10)
        var reading = 0
        for file in files {
            let update = String(file.prefix { $0 != "-" })
            let concept = try imported("\(adapters)/\(file)")
            let changed = try pipeline(concept)
            try expectPrediction(changed, "\(update).unet_out", file)
            if try Checkpoint.open(concept).names.contains(where: { $0.hasPrefix("text_encoder") }) {
                reading += 1
                let text = changed.prompts([prompt?["prompt"] as? String ?? ""])
                try expectNear(text.tokens.value, "\(update).prompt_embeds", file)
                try expectNear(text.pooled.value, "\(update).pooled", file)
            }
            if update == "u1" { try expectPrediction(try pipeline(concept, strength: 0.5), "u1_half.unet_out", file) }
        }
        #expect(reading == 6, "all of the first update but PEFT's folder change both text encoders")
    }

    /// PEFT's form is a folder for each of the networks.
    @Test(arguments: AdapterFormat.allCases) func aConceptGoesOutAsItCameIn(format: AdapterFormat) throws {
        for file in ["u1-kohya.safetensors", "u2-kohya-mixed-ranks.safetensors"] {
            let first = try imported("\(adapters)/\(file)", as: "first")
            let out = models.folder + (format == .peft ? "/peft of \(file)" : "/out.safetensors")
            try AdapterWriter(AdapterReader(first).read().changes).write(format, to: out)
            let second = try Checkpoint.open(try imported(out, as: "second"))
            let again = try Checkpoint.open(first)
            #expect(second.names == again.names)
            for name in again.names {
                #expect(try second.tensor(name).floats() == again.tensor(name).floats(), "\(name)")
            }
            if format == .diffusers {
                #expect(try Checkpoint.open(out).names.contains { $0.hasPrefix("unet.") })
            }
        }
    }

    /// As diffusers' DreamBooth script for SDXL tells it.
    @Test func sdxlIsToldWhatAReferenceWasCutFrom() throws {
        let pipeline = try DiffusionPipeline(directory: model.folder)
        let square = Picture(width: 32, height: 32, filledWith: (90, 60, 30))
        func losses(cutFrom whole: Picture) throws -> [Float] {
            let concept = Concept(
                name: "rex", className: "dog", references: [square], origins: [PictureOrigin(middleOf: whole)])
            var options = LoRAOptions()
            (options.batch, options.rank, options.priorPreservation) = (1, 2, false)
            let alone = try LoRATraining(
                pipeline.dreamBooth(of: concept, priorPictures: 0, seed: 7), concept: concept, options: options,
                seed: 7)
            let loss = alone.advance().concept
            alone.detach()
            let supervisor = try PairTraining(
                pipeline.pairLearner(of: [concept], seed: 7), pairs: concept.pairs,
                options: .init(iterations: 1, batch: 1, learningRate: 1e-3, rank: 2, alpha: 4), seed: 7)
            defer { supervisor.detach() }
            return [loss, supervisor.advance().pairs]
        }
        let whole = try losses(cutFrom: square)
        let part = try losses(cutFrom: Picture(width: 128, height: 64, filledWith: (90, 60, 30)))
        #expect(whole[0] != part[0] && whole[1] != part[1])
        #expect(try losses(cutFrom: square) == whole)
    }

    @Test func whatActsOnEveryWordIsNotKeptToItsOwn() throws {
        let concept = try imported("\(adapters)/u1-kohya.safetensors")
        #expect(throws: AdapterError.notByToken(concept: "rex")) { _ = try pipeline(concept, joining: .byToken) }
    }
}
