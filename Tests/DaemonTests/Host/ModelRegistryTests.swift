import DaemonTesting
import FileTesting
import Foundation
import Logging
import Testing

@testable import Daemon

@Suite struct ModelRegistryTests {
    /// A job on a model that nobody holds is rejected for good.
    @Test func whatCannotBeLookedIntoIsTakenToBeAsItWas() async throws {
        let folder = try TemporaryFolder()
        let models = folder.path + "/models"
        try StubModel.write("tiny", .clip, in: models)
        let registry = ModelRegistry(directory: models, logger: Logger(label: "test"))
        #expect(await registry.reread())
        try FileManager.default.moveItem(atPath: models, toPath: folder.path + "/away")
        try Data().write(to: URL(fileURLWithPath: models))
        #expect(await !registry.reread())
        #expect(registry.own.map(\.name) == ["tiny"])
        try FileManager.default.removeItem(atPath: models)
        #expect(await registry.reread())
        #expect(registry.own.isEmpty)
    }
}
