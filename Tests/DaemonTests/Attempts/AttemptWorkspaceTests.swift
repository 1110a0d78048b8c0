import DaemonTesting
import Foundation
import Testing

@testable import Daemon

/// Whose files an attempt may name and remove.
@Suite struct AttemptWorkspaceTests {
    private func workspaces(_ count: Int, in folder: TemporaryFolder) throws -> [AttemptWorkspace] {
        var settings = Settings()
        (settings.stateDirectory, settings.sharedDirectory) = (folder.path, folder.path)
        let job = UUID()
        return try (1...count).map { attempt in
            let workspace = AttemptWorkspace(settings: settings, job: job, attempt: attempt)
            try workspace.create()
            return workspace
        }
    }

    private func exists(_ workspace: AttemptWorkspace) -> Bool {
        FileManager.default.fileExists(atPath: workspace.folder)
    }

    @Test func anAttemptThatOutlivedItsClaimLeavesItsSuccessorAlone() throws {
        let folder = try TemporaryFolder()
        let attempts = try workspaces(3, in: folder)
        attempts[1].remove([], isLaterThanOthers: true)
        #expect(attempts.map(exists) == [false, true, true])
        attempts[1].removeJob()
        #expect(attempts.map(exists) == [false, false, true])
        attempts[2].removeJob()
        #expect(!FileManager.default.fileExists(atPath: attempts[2].jobFolder))
    }

    @Test func dotsAndLinksLeadNowhere() throws {
        let folder = try TemporaryFolder()
        let own = try workspaces(1, in: folder)[0]
        let secret = try folder.write("secret", "x")
        try FileManager.default.createDirectory(atPath: own.folder + "/deep", withIntermediateDirectories: true)
        symlink(folder.path, own.folder + "/link")
        #expect(own.contains(own.folder + "/checkpoint") && own.contains(own.folder + "/deep/checkpoint"))
        for path in [
            secret, own.folder, own.folder + "/..", own.folder + "/../../secret", own.folder + "/deep/../../x",
            own.folder + "/link/secret", own.folder + "2/checkpoint", own.folder + "/none/checkpoint",
        ] {
            #expect(!own.contains(path), "\(path)")
        }
        own.remove([own.folder + "/link/secret"], isLaterThanOthers: false)
        #expect(FileManager.default.fileExists(atPath: secret))
    }
}
