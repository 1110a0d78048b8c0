import Catalogue
import ModelTesting

extension TinyModels {
    /// Installs the tiny release of SDXL among them.
    /// - Parameter releases: the folder of the tiny releases.
    func addSDXL(from releases: String) throws -> ModelFolder {
        var wishes = ReleaseWishes()
        wishes.side = 32
        return try ModelInstallation(directory: folder).add(
            release: ["\(releases)/sdxl"], name: "sdxl", wishes: wishes
        ).model
    }
}
