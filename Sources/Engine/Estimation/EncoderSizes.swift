import Backbones
import Catalogue

/// What measuring pictures takes: CLIP and DINO, by their configurations.
struct EncoderSizes {
    private let clip: CLIPModel.Configuration
    private let dino: DINOModel.Configuration
    private let weights: WeightSizes

    /// - Throws: what is wrong with the folders' configurations.
    init(clip: String, dino: String) throws {
        self.clip = try ConfigurationFile.read(CLIPModel.Configuration.self, "\(clip)/\(ModelLayout.configuration)")
        self.dino = try ConfigurationFile.read(DINOModel.Configuration.self, "\(dino)/\(ModelLayout.configuration)")
        weights = WeightSizes(ModelFolder(clip)) + WeightSizes(ModelFolder(dino))
    }

    func load(_ sheet: inout CostSheet) { sheet.load(weights) }

    /// Both encoders see every picture, CLIP's text tower its prompt.
    func measure(_ pictures: Int, texts: Int, _ sheet: inout CostSheet) {
        sheet.draw(pictures, in: encoderPortion) { clip.vision.encoding($0) }
        sheet.draw(pictures, in: encoderPortion) { dino.encoding($0) }
        sheet.draw(texts, in: encoderPortion) { clip.text.encoding($0) }
    }
}
