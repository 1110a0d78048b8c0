import Autograd
import Backbones
import Layers
import Tensors

/// DINO's vision transformer, at its own picture size and at another.
struct DINOConformance {
    private let fixture: ConformanceCase
    private let model: DINOModel
    private let tolerance = 1e-4
    private let preparation: PicturePreparation

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        let weights = Weights(.checkpoint(try fixture.weights()))
        model = DINOModel(try fixture.decodedConfiguration(as: DINOModel.Configuration.self), weights)
        preparation = .dino(side: model.configuration.pictureSize)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let own = try tokens(ownPicture())
        try compare("cls", own.tokens(0..<1), &report)
        try compare("tokens_first4", own.tokens(0..<4), &report)
        let other = try tokens("image2_u8")
        let patch = model.configuration.patchSize
        let shape = try fixture.recorded.entry("image2_u8").shape
        try compare(
            "pos_embed_interpolated", model.positions(rows: shape[1] / patch, columns: shape[2] / patch), &report)
        try compare("image2.cls", other.tokens(0..<1), &report)
        try compare("image2.last_hidden_state", other, &report)
        return report
    }

    /// The recorded pictures of the model's own size: `image224_u8`, or with another size or none in the name.
    private func ownPicture() throws -> String {
        let names = fixture.recorded.names.filter { $0.wholeMatch(of: /image\d*_u8/) != nil && $0 != "image2_u8" }
        guard let name = names.first else {
            throw ConformanceError(folder: fixture.folder, problem: "no picture is recorded as image<size>_u8")
        }
        return name
    }

    private func tokens(_ pictures: String) throws -> Variable {
        model.tokens(Variable(preparation.normalized(try fixture.pictures(pictures))))
    }

    private func compare(_ name: String, _ computed: Variable, _ report: inout ConformanceReport) throws {
        report.compare(name, computed.value, try fixture.tensor(name), tolerance: tolerance)
    }
}
