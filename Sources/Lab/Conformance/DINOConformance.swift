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
        let own = try tokens("image224_u8")
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

    private func tokens(_ picture: String) throws -> Variable {
        model.tokens(Variable(preparation.normalized([try fixture.picture(picture)])))
    }

    private func compare(_ name: String, _ computed: Variable, _ report: inout ConformanceReport) throws {
        report.compare(name, computed.value, try fixture.tensor(name), tolerance: tolerance)
    }
}
