import Backbones
import Catalogue
import Checkpoints
import FileTesting
import Foundation
import ModelTesting
import ServerTesting
import Tensors
import Testing

@testable import Engine

private let release = sharedFolder("releases").map { "\($0)/infinity-2b" }

/// Weights that stay as their file has them.
@Suite(.computing, .enabled(if: release != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct HeldWeightsTests {
    /// Drawing multiplies as exactly as the weights are, and no more: in bfloat16 where the file has that.
    @Test func picturesAreDrawnAsExactlyAsWeightsAreHeld() throws {
        let models = try TinyModels()
        var wishes = ReleaseWishes()
        wishes.pixels = "0.06M"
        func loaded(_ precision: CheckpointConversion.Precision) throws -> LoadedModel {
            let files = ["infinity_2b_reg.pth", "infinity_vae_d32reg.pth", "flan-t5-xl"].map { "\(release!)/\($0)" }
            let added = try ModelInstallation(directory: models.folder).add(
                release: files, name: precision.rawValue, wishes: wishes, precision: precision)
            return try LoadedModel(directory: added.model.folder)
        }
        for (precision, products) in [(CheckpointConversion.Precision.f32, MatrixPrecision.single), (.bf16, .bfloat16)]
        {
            let loaded = try loaded(precision)
            #expect(loaded.holdsHalves == (products == .bfloat16))
            let model = try #require(loaded.backbone as? InfinityModel)
            let painted = try ConceptPainter(loaded, adapters: [:]).paint(["a dog in the jungle"], [5])
            let expected = MatrixPrecision.$current.withValue(products) {
                model.generate(model.encode(["a dog in the jungle"]), sampling: model.sampling(seeds: [5]))
            }
            #expect(painted.map(\.pixels) == expected.map(\.pixels))
        }
    }
}
