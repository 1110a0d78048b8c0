import Catalogue
import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import ModelTesting
import ServerTesting
import Testing

private let releases = sharedFolder("releases")

/// An update under the authors' names of modules is imported as the one under diffusers' names is.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct AdapterPlacesTests {
    @Test func kohyasNamesOfTheUNetFindTheirPlaces() throws {
        let models = try TinyModels()
        let model = try models.addSDXL(from: releases!)
        // Of the network alone: changes of text encoders are refused.
        let whole = try Checkpoint.open("\(releases!)/adapters-sdxl/u1-kohya.safetensors")
        let network = models.folder + "/kohya.safetensors"
        let tensors = try whole.names.filter { $0.hasPrefix("lora_unet_") }.map {
            RearrangedTensor($0, try whole.tensor($0))
        }
        try CheckpointConversion(tensors, precision: .stored).write(network)
        func imported(_ path: String, _ name: String) throws -> [String: [Float]] {
            let file = "\(models.folder)/\(name).safetensors"
            try AdapterImport(model: model).write(
                path, as: .init(name: "rex", role: .subject, className: "dog"), to: file)
            let read = try Checkpoint.open(file)
            return try Dictionary(uniqueKeysWithValues: read.names.map { ($0, try read.tensor($0).floats()) })
        }
        let plain = try imported("\(releases!)/adapters-sdxl/u1-peft", "plain")
        #expect(try imported(network, "kohya") == plain)
    }
}
