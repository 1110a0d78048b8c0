import Catalogue
import Checkpoints
import FileTesting
import Foundation
import Layers
import ModelTesting
import Tensors
import Testing

private let releases = sharedFolder("releases")

@Suite(.enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct LPIPSReleaseTests {
    /// Other trunks' heads have the same names.
    @Test func headsOfAnotherTrunkAreNoLPIPSOfThisOne() throws {
        let models = try TinyModels()
        let folder = models.folder + "/heads"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let heads = (0..<5).map { ("lin\($0).model.1.weight", Tensor(repeating: 1, shape: [1, 3, 1, 1])) }
        try Safetensors.write(Dictionary(uniqueKeysWithValues: heads), to: folder + "/vgg.safetensors")
        do throws(UnrecognizedRelease) {
            _ = try ReleaseScan([folder, "\(releases!)/lpips/alexnet-owt-7be5be79.pth"]).recognized()
            Issue.record("heads of 3 features were taken")
        } catch {
            #expect(error.problems.count == 1 && error.problems[0].contains("lin0 reads 3 features"), "\(error)")
        }
    }
}
