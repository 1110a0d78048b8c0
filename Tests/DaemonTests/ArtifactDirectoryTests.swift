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
        #expect(try !store.contains(digest))
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.root + "/incoming").isEmpty)
    }

    @Test func nothingOutsideTheWorkspaceComesIn() throws {
        let secret = try folder.write("secret", "picture")
        symlink(secret, workspace + "/link")
        mkfifo(workspace + "/fifo", 0o600)
        for path in [
            secret, workspace + "/link", workspace + "/../secret", workspace, workspace + "/missing",
            workspace + "/fifo", "/etc/passwd",
        ] {
            #expect(throws: ArtifactDirectory.Refusal.outside(path)) {
                try store.take(path, inside: workspace, announced: digest)
            }
        }
        #expect(try !store.contains(digest))
    }
}

/// Artifacts nobody refers to go, but not those just taken in.
@Suite struct ArtifactRemovalTests {
    @Test func onlyWhatIsOldGoesAndTakingItInAgainMakesItYoung() throws {
        let folder = try TemporaryFolder()
        let artifacts = try ArtifactDirectory(root: folder.path)
        let digests = try (0..<3).map { try artifacts.put(Data("artifact \($0)".utf8)) }
        func age(_ digest: SHA256Digest) {
            utimes(artifacts.path(of: digest), [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)])
        }
        digests[...1].forEach(age)
        let day = Duration.seconds(24 * 3600)
        let old = try artifacts.shelves().flatMap { try artifacts.digests(on: $0, olderThan: day) }
        #expect(Set(old) == Set(digests[...1]))
        #expect(try artifacts.put(Data("artifact 1".utf8)) == digests[1])
        #expect(try digests.map { try artifacts.remove($0, olderThan: day) } == [true, false, false])
        #expect(try digests.map(artifacts.contains) == [false, true, true])
        #expect(try artifacts.remove(digests[0], olderThan: day) == false)
    }
}
