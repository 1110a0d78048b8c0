import Autograd
import Backbones
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Images
import Layers
import Tensors
import Testing

private let dino = DINOModel.Configuration(
    width: 12, feedForwardWidth: 24, layers: 2, heads: 3, pictureSize: 16, patchSize: 4)
private let clip = CLIPModel.Configuration(
    text: .init(width: 12, feedForwardWidth: 24, layers: 2, heads: 2, vocabularySize: 20, length: 8, endID: 19),
    vision: .init(width: 16, feedForwardWidth: 24, layers: 2, heads: 2, pictureSize: 8, patchSize: 4),
    projectionWidth: 6)

@Suite(.computing) struct VisionEncoderTests {
    @Test func everyWeightOfEitherEncoderIsTrainableFromNothing() {
        let weights = Weights(.fresh(seed: 3))
        let model = CLIPModel(clip, weights)
        weights.train { _ in true }
        let pictures = model.embeddings(pictures: Variable(.example([2, 3, 8, 8])))
        let logits = model.logits(pictures, model.embeddings(texts: [[18, 1, 2, 19], [18, 3, 19]]))
        logits.backward(seed: .example([2, 2], seed: 8))
        for parameter in weights.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name) receives no gradient")
        }

        let others = Weights(.fresh(seed: 4))
        let vision = DINOModel(dino, others)
        others.train { _ in true }
        // Another size, so that the gradient of the positions passes the interpolation.
        vision.embeddings(Variable(.example([2, 3, 24, 12]))).backward(seed: .example([2, 12], seed: 8))
        for parameter in others.parameters {
            #expect((parameter.gradient?.maximumMagnitude ?? 0) > 0, "\(parameter.name) receives no gradient")
        }
    }

    @Test func aTextsEmbeddingDependsNeitherOnItsNeighboursNorOnPadding() {
        let model = CLIPModel(clip, Weights(.fresh(seed: 3)))
        let alone = model.embeddings(texts: [[18, 3, 19]]).value
        let beside = model.embeddings(texts: [[18, 1, 2, 4, 5, 19], [18, 3, 19]]).value.slice(1..<2)
        #expect(largestDifference(alone.values, beside.values) < 1e-5)
        #expect(abs(alone.sumOfSquares - 1) < 1e-5)
        let order = model.embeddings(texts: [[18, 3, 4, 19], [18, 4, 3, 19]]).value
        #expect(
            largestDifference(order.slice(0..<1).values, order.slice(1..<2).values) > 1e-3,
            "the order of words makes no difference")
    }

    private func temporary(_ ending: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).\(ending)").path
    }

    @Test func aClassifiersTrunkIsRead() throws {
        let weights = Weights(.fresh(seed: 4))
        let pictures = Variable(Tensor.example([1, 3, 16, 16]))
        let expected = DINOModel(dino, weights).embeddings(pictures).value
        var tensors = Dictionary(uniqueKeysWithValues: weights.parameters.map { ("vit." + $0.name, $0.value) })
        tensors["classifier.weight"] = Tensor.example([2, 12])
        let path = temporary("safetensors")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Safetensors.write(tensors, to: path)
        let read = try DINOModel.weights(Checkpoint.open(path))
        let model = DINOModel(dino, read)
        try read.verify()
        #expect(model.embeddings(pictures).value.values == expected.values)
    }

    /// A few bytes that say they are terabytes are nobody's.
    @Test func whatTheModelDoesNotNeedIsNotRead() throws {
        let archive = HandmadeTorchArchive(
            [
                ("pos_embed", { $0.tensor([1], [1], 0) { $0.storage("FloatStorage", "0", 1) } }),
                ("mask", { $0.tensor([1 << 40], [0], 0) { $0.storage("FloatStorage", "0", 1) } }),
            ], [("0", HandmadeTorchArchive.floats([1]))])
        let path = temporary("pth")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(archive.bytes).write(to: URL(fileURLWithPath: path))
        #expect(try DINOModel.weights(Checkpoint.open(path)).isGiven("embeddings.position_embeddings"))
    }

    @Test func positionsOfTheirOwnSizeAreLeftAsTheyAre() {
        let weights = Weights(.fresh(seed: 4))
        let model = DINOModel(dino, weights)
        #expect(
            model.positions(rows: 4, columns: 4).value.values
                == weights.byName["embeddings.position_embeddings"]!.value.values)
        #expect(
            model.tokens(Variable(.example([1, 3, 21, 8]))).shape == [1, 1 + 5 * 2, 12],
            "pixels beyond the last whole patch are left out")
    }

    @Test func whatAPublishedConfigurationLeavesOutIsTheReferences() throws {
        let clip = try JSONDecoder().decode(
            CLIPModel.Configuration.self,
            from: Data(
                #"{"text_config":{"eos_token_id":2},"vision_config":{"hidden_act":"gelu"},"model_type":"clip"}"#.utf8))
        #expect(
            clip.text.width == 512 && clip.text.vocabularySize == 49408 && clip.text.endID == 2
                && clip.text.activation == .quickGELU)
        #expect(
            clip.vision.patchSize == 32 && clip.vision.width == 768 && clip.vision.activation == .gelu
                && clip.projectionWidth == 512)
        #expect(try JSONDecoder().decode(CLIPModel.Configuration.self, from: JSONEncoder().encode(clip)) == clip)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                DINOModel.Configuration.self, from: Data(#"{"hidden_act":"a function nobody knows"}"#.utf8))
        }
    }

    @Test func theRealSmallTransformerHasItsPublishedNumberOfWeights() {
        let small = DINOModel.Configuration(
            width: 384, feedForwardWidth: 1536, layers: 12, heads: 6, pictureSize: 224, patchSize: 16)
        let weights = Weights(.checkpoint([:]))
        _ = DINOModel(small, weights)
        #expect(weights.count == 21_665_664)
    }

    @Test func preparationDoesWhatItsConfigurationStates() {
        let mean = [0.5, 0.25, 0] as [Float]
        let deviation = [0.5, 1, 2] as [Float]
        let preparation = PicturePreparation(shorterSide: 16, crop: 8, mean: mean, deviation: deviation)
        let grey = Picture(width: 61, height: 40, filledWith: (255, 0, 51))
        let x = preparation([grey, grey])
        #expect(x.shape == [2, 3, 8, 8])
        for (channel, expected) in [1, -0.25, 0.1].enumerated() {
            #expect(abs(x.pointer[64 * channel + 20] - Float(expected)) < 1e-6)
        }
    }

    /// A picture that is prepared otherwise than in training is seen wrong without a word.
    @Test(arguments: [
        (#""size": 8, "resample": 2"#, "resample 2: not built"),
        (#""size": 8, "do_resize": false, "do_rescale": false"#, "do_resize false, do_rescale false: not built"),
        (#""size": 8, "rescale_factor": 0.5"#, "rescale_factor 0.5: not built"),
        (#""size": {"height": 8, "width": 8}"#, "a size of height and width: not built"),
        (#""size": 16"#, "crop_size is 16, and the model's pictures have 8 pixels a side"),
    ])
    func aPreparationThatIsNotBuiltIsRefused(settings: String, problem: String) throws {
        let folder = try TestFolder()
        func preparation(_ settings: String) throws -> PicturePreparation? {
            let colours = #""image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]"#
            try folder.write("{\(settings), \(colours)}", "preprocessor_config.json")
            return try PicturePreparation(directory: folder.path, side: 8)
        }
        let usual = #""size": {"shortest_edge": 8}, "resample": 3, "do_center_crop": true, "rescale_factor": "#
        #expect(try preparation(usual + "0.00392156862745098") != nil)
        let error = try #require(throws: (any Error).self) { try preparation(settings) }
        #expect("\(error)".contains("preprocessor_config.json: \(problem)"))
    }

    /// transformers' fifth version writes one file for texts and pictures; where its pictures are not in that, the
    /// older one counts.
    @Test(arguments: [
        (#"{"image_processor": {"size": {"shortest_edge": 12}, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}}"#, 12),
        (#"{"processor_class": "CLIPProcessor"}"#, 8),
    ])
    func theProcessorsSettingsComeFirst(processor: String, side: Int) throws {
        let folder = try TestFolder()
        let pictures = #"{"size": 8, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"#
        try folder.write(processor, "processor_config.json")
        try folder.write(pictures, "preprocessor_config.json")
        let preparation = try #require(try PicturePreparation(directory: folder.path))
        let picture = Picture(width: 20, height: 20, filledWith: (255, 0, 51))
        #expect(preparation([picture]).shape == [1, 3, side, side])
    }

    @Test func bicubicResizingKeepsARampAndItsMean() {
        let ramp = Picture(
            width: 60, height: 30,
            pixels: (0..<60 * 30).flatMap { i in [UInt8](repeating: UInt8(4 * (i % 60)), count: 3) })
        let small = ramp.resizedBicubically(width: 15, height: 10)
        for x in 2..<13 { #expect(abs(Int(small.pixels[3 * (5 * 15 + x)]) - (16 * x + 6)) <= 1) }
        #expect(ramp.resizedBicubically(width: 60, height: 30) == ramp)
    }
}
