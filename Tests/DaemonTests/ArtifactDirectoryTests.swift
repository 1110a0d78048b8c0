import DaemonTesting
import Foundation
import Hashing
import Testing

@testable import Daemon

@Suite struct ArtifactDirectoryTests {
    let folder: TemporaryFolder
    let store: ArtifactDirectory
    let workspace: String

    init() throws {
        folder = try TemporaryFolder()
        store = try ArtifactDirectory(root: folder.path + "/artifacts")
        workspace = folder.path + "/work"
        try FileManager.default.createDirectory(atPath: workspace, withIntermediateDirectories: true)
    }

    private let digest = SHA256Digest.of(Data("picture".utf8))

    @Test func bytesComeBackUnderTheirDigest() throws {
        let file = try folder.write("work/a.png", "picture")
        #expect(try store.take(file, inside: workspace, announced: digest) == 7)
        #expect(try Data(contentsOf: URL(fileURLWithPath: store.path(of: digest))) == Data("picture".utf8))
        #expect(try store.take(file, inside: workspace, announced: digest) == 7)  // the same again: the same file
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/incoming").isEmpty)
    }

    @Test func bytesThatDifferFromTheAnnouncementAreRefused() throws {
        let file = try folder.write("work/a.png", "another picture")
        #expect(throws: ArtifactDirectory.Refusal.self) { try store.take(file, inside: workspace, announced: digest) }
        #expect(!store.contains(digest))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/incoming").isEmpty)
    }

    @Test func nothingOutsideTheWorkspaceComesIn() throws {
        let secret = try folder.write("secret", "picture")
        symlink(secret, workspace + "/link")
        mkfifo(workspace + "/fifo", 0o600)
        for path in [secret, workspace + "/link", workspace + "/../secret", workspace, workspace + "/missing", workspace + "/fifo", "/etc/passwd"] {
            #expect(throws: ArtifactDirectory.Refusal.outside(path)) { try store.take(path, inside: workspace, announced: digest) }
        }
        #expect(!store.contains(digest))
    }
}
