import DaemonTesting
import Foundation
import Testing

@testable import Daemon

/// What nobody can wait for is named.
struct HangingFolderTests {
    @Test func aFolderThatDoesNotAnswerIsNamed() async throws {
        let folder = try TemporaryFolder()
        // Who opens a pipe that nobody writes into waits.
        let pipe = folder.path + "/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        let error = await #expect(throws: HangingFolder.self) {
            try await runBlocking(in: folder.path, within: .milliseconds(10)) { close(open(pipe, O_RDONLY)) }
        }
        #expect(error?.description.hasPrefix("\(folder.path) does not answer") == true)
        close(open(pipe, O_WRONLY))
    }

    @Test func whatAFolderAnswersIsGiven() async throws {
        let folder = try TemporaryFolder()
        let found = try await runBlocking(in: folder.path, within: .seconds(60)) { access(folder.path, W_OK) }
        #expect(found == 0)
        await #expect(throws: CocoaError.self) {
            try await runBlocking(in: folder.path, within: .seconds(60)) {
                try FileManager.default.contentsOfDirectory(atPath: folder.path + "/none").count
            }
        }
    }
}
