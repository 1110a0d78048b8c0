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

    /// An adapter that an operator imports is read by the daemon, and other artifacts come to lie beside it.
    @Test(.enabled(if: geteuid() == 0, "who is not root makes what is its own"))
    func whatRootTakesInBelongsToWhomTheFolderBelongs() throws {
        let nobody: uid_t = 65534
        try #require(chown(folder.path, nobody, nobody) == 0)
        let artifacts = try ArtifactDirectory(root: folder.path + "/imported")
        let path = artifacts.path(of: try artifacts.put(Data("adapter".utf8)))
        for place in [artifacts.root, artifacts.incoming, (path as NSString).deletingLastPathComponent, path] {
            var status = stat()
            let isThere = lstat(place, &status) == 0
            #expect(isThere && status.st_uid == nobody, "\(place)")
        }
    }
}

/// Artifacts nobody refers to go, but not those just taken in.
@Suite struct ArtifactRemovalTests {
    private let day = Duration.seconds(24 * 3600)

    private func age(_ path: String) {
        utimes(path, [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)])
    }

    @Test func whatADaemonThatDiedLeftOnItsWayGoes() throws {
        let folder = try TemporaryFolder()
        let artifacts = try ArtifactDirectory(root: folder.path)
        let files = FileManager.default
        let digest = try artifacts.put(Data("erased".utf8))
        let aside = "\(artifacts.incoming)/\(digest).aside"
        try files.moveItem(atPath: artifacts.path(of: digest), toPath: aside)
        #expect(try !artifacts.remove(digest, olderThan: day))
        #expect(files.fileExists(atPath: aside), "what is young another daemon may be at")
        age(aside)
        #expect(try !artifacts.remove(digest, olderThan: day))
        #expect(!files.fileExists(atPath: aside))
        for name in ["old", "young"] { try folder.write("incoming/\(name)", "half a picture") }
        age(artifacts.incoming + "/old")
        #expect(try artifacts.removeOrphans(olderThan: day) == 1)
        #expect(try files.contentsOfDirectory(atPath: artifacts.incoming) == ["young"])
    }

    @Test func onlyWhatIsOldGoesAndTakingItInAgainMakesItYoung() throws {
        let folder = try TemporaryFolder()
        let artifacts = try ArtifactDirectory(root: folder.path)
        let digests = try (0..<3).map { try artifacts.put(Data("artifact \($0)".utf8)) }
        for digest in digests[...1] { age(artifacts.path(of: digest)) }
        let old = try artifacts.shelves().flatMap { try artifacts.digests(on: $0, olderThan: day) }
        #expect(Set(old) == Set(digests[...1]))
        #expect(try artifacts.put(Data("artifact 1".utf8)) == digests[1])
        #expect(try digests.map { try artifacts.remove($0, olderThan: day) } == [true, false, false])
        #expect(try digests.map(artifacts.contains) == [false, true, true])
        #expect(try artifacts.remove(digests[0], olderThan: day) == false)
    }
}
