import Backbones
import Catalogue
import Evaluation
import Jobs

/// What measuring pictures takes: CLIP and DINO, by their configurations, and LPIPS where it is here.
struct EncoderSizes {
    private let clip: CLIPModel.Configuration
    private let dino: DINOModel.Configuration
    private let weights: WeightSizes
    /// Nil where it has no weights.
    private let lpips: WeightSizes?

    /// Reads what the encoders' folders say.
    /// - Throws: what is wrong with CLIP's and DINO's configurations.
    init(clip: String, dino: String, lpips: String) throws {
        self.clip = try ConfigurationFile.read(CLIPModel.Configuration.self, "\(clip)/\(ModelLayout.configuration)")
        self.dino = try ConfigurationFile.read(DINOModel.Configuration.self, "\(dino)/\(ModelLayout.configuration)")
        weights = WeightSizes(ModelFolder(clip)) + WeightSizes(ModelFolder(dino))
        self.lpips = MetricEncoders.lpipsFiles(in: lpips).isEmpty ? nil : WeightSizes(ModelFolder(lpips))
    }

    func load(_ sheet: inout CostSheet) {
        sheet.load(weights)
        // Most of a published file is layers that are not used.
        if let lpips { sheet.read(lpips) }
    }

    /// CLIP and DINO see pictures.
    func see(_ pictures: Int, _ sheet: inout CostSheet) {
        sheet.draw(pictures, in: encoderPortion) { clip.vision.encoding($0) }
        seeByDINO(pictures, &sheet)
    }

    /// DINO alone, as it sees a class for PRES.
    func seeByDINO(_ pictures: Int, _ sheet: inout CostSheet) {
        sheet.draw(pictures, in: encoderPortion) { dino.encoding($0) }
    }

    /// A concept's scores: pictures of its prompts, so many of each, with those.
    func score(_ pictures: Int, each: Int, of size: ModelDescription.Size, _ sheet: inout CostSheet) {
        see(pictures, &sheet)
        sheet.draw((pictures + each - 1) / each, in: encoderPortion) { clip.text.encoding($0) }
        compare(pictures, each: each, of: size, &sheet)
    }

    /// DIV of prompts with so many pictures each: by LPIPS, or by DINO, which sees them once more.
    func compare(_ pictures: Int, each: Int, of size: ModelDescription.Size, _ sheet: inout CostSheet) {
        guard each > 1 else { return }
        if lpips == nil {
            sheet.draw(pictures, in: min(each, encoderPortion)) { dino.encoding($0) }
        } else {
            sheet.compute(LPIPS.seeing(height: size.height, width: size.width), times: Double(pictures))
        }
    }
}
