import Autograd
import Backbones
import Foundation
import Images
import Layers
import Tensors

/// CLIP: both towers, the preparation of pictures, and the tokenizer.
struct CLIPConformance {
    private let fixture: ConformanceCase
    private let model: CLIPModel
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        var configuration = try fixture.decodedConfiguration(as: CLIPModel.Configuration.self)
        if let epsilon = try? fixture.float("layer_norm_eps") {
            (configuration.text.epsilon, configuration.vision.epsilon) = (epsilon, epsilon)
        }
        let weights = Weights(.checkpoint(try fixture.weights()))
        model = CLIPModel(configuration, weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        try text(&report)
        try pictures(&report)
        try preparation(&report)
        try tokenizer(&report)
        return report
    }

    private func compare(_ name: String, _ computed: Variable, _ report: inout ConformanceReport) throws {
        report.compare(name, computed.value, try fixture.tensor(name), tolerance: tolerance)
    }

    private func ids() throws -> (ids: [Int32], batch: Int) {
        (try fixture.recorded.integers("input_ids").map(Int32.init), try fixture.recorded.entry("input_ids").shape[0])
    }

    private func text(_ report: inout ConformanceReport) throws {
        let (ids, batch) = try ids()
        let plain = model.textStates(ids, batch: batch)
        try compare("text.last_hidden_state_nomask", plain.normalized!, &report)
        try compare("text.penultimate_nomask", plain.hidden[plain.hidden.count - 2], &report)
        try compare("text.pooler_nomask", plain.pooled, &report)
        try compare("text.projected_nomask", model.projected(text: plain), &report)
        let masked = model.textStates(ids, batch: batch, lengths: try fixture.lengths("attention_mask"))
        try compare("text.last_hidden_state_mask", masked.normalized!, &report)
        try compare("text_embeds", NormalizeRows().apply([model.projected(text: masked)]), &report)
    }

    private func pictures(_ report: inout ConformanceReport) throws {
        let pixels = Variable(try fixture.tensor("pixel_values"))
        let states = model.pictureStates(pixels)
        try compare("vision.last_hidden_state", states.hidden.last!, &report)
        try compare("vision.penultimate", states.hidden[states.hidden.count - 2], &report)
        try compare("vision.pooler", states.pooled, &report)
        let pictures = model.embeddings(pictures: pixels)
        let texts = Variable(try fixture.tensor("text_embeds"))
        try compare("image_embeds", pictures, &report)
        try compare("logits_per_image", model.logits(pictures, texts), &report)
        try compare("logits_per_text", model.logits(texts, pictures), &report)
    }

    /// Crops in bytes, at most 1 off, and pixel values at most one byte's step. What the torchvision backend made of
    /// the same pictures is compared as a whole: it rounds at other places than Pillow, which is our reference.
    private func preparation(_ report: inout ConformanceReport) throws {
        let side = model.configuration.vision.pictureSize
        let own = PicturePreparation.clip(side: side)
        let standard = PicturePreparation.clip(side: 224)
        for (name, source, preparation) in [
            ("raw_crop_u8", "raw_image", own), ("crop224_u8", "raw_image", standard),
            ("crop224_image2_u8", "raw_image2", standard),
        ] {
            let crops = try fixture.pictures(source).map(preparation.square)
            report.compareAbsolutely(name, planes(crops), try fixture.tensor(name), tolerance: 1)
        }
        let pictures = try fixture.pictures("raw_image")
        let pixels = own(pictures)
        let recorded = try fixture.tensor("pixel_values")
        report.compareAbsolutely(
            "pixel_values of raw_image", pixels, recorded.slice(0..<min(pictures.count, recorded.shape[0])),
            tolerance: 1 / 255 / 0.26)
        for (name, computed) in [
            ("pixel_values_torchvision", pixels),
            ("crop224_u8_torchvision", planes(pictures.map(standard.square))),
        ] where fixture.has(name) {
            report.compareNorm(name, computed, try fixture.tensor(name), tolerance: 0.01)
        }
    }

    /// The bytes of pictures of one size as [B, 3, H, W].
    private func planes(_ pictures: [Picture]) -> Tensor {
        let (height, width) = (pictures[0].height, pictures[0].width)
        let places = height * width
        let bytes = pictures.flatMap { picture -> [Float] in
            (0..<3 * places).map { Float(picture.pixels[$0 % places * 3 + $0 / places]) }
        }
        return Tensor(bytes, shape: [pictures.count, 3, height, width])
    }

    private func tokenizer(_ report: inout ConformanceReport) throws {
        guard let section = fixture.description["tokenizer"] as? [String: Any],
            let words = section["vocabulary"] as? String,
            let list = section["cases"] as? String
        else { return }
        // The entry begins with the file's name and may go on in words.
        let tokenizer = try CLIPTokenizer(path: "\(fixture.folder)/\(words.prefix { $0 != " " })")
        let cases = try TokenizerCases(path: "\(fixture.folder)/\(list)")
        for (index, text) in cases.strings.enumerated() {
            report.compareExactly("tokenizer.\(index)", tokenizer.encode(text).map(Int.init), cases.ids[index])
            guard let padded = cases.padded77?[index] else { continue }
            report.compareExactly("tokenizer.padded.\(index)", tokenizer.padded(text).map(Int.init), padded)
        }
    }
}
