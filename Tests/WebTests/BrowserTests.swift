import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Testing

/// The pages in a real browser: `browser.py` drives a headless Chromium through them.
@Suite(.serialized, .timeLimit(.minutes(10))) struct BrowserTests {
    private static let isInstalled = ["/usr/bin/chromium", "/usr/bin/chromedriver"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: isInstalled, "chromium and its driver are not installed: no browser goes through the pages"))
    func aPersonFindsTheirWay() async throws {
        let folder = try TemporaryFolder()
        let (reader, admin) = (AccessTokenPair("rob", .reader, nil), AccessTokenPair("anna", .admin, nil))
        let tokens = try folder.write("tokens", JSONValue.array([reader.entry, admin.entry]).text)
        chmod(tokens, 0o600)
        try await Stage.with(settings: ["ATELIER_ENGINE": Stage.programs + "/scripted-engine"]) { stage in
            try stage.start()
            let open = try await stage.startWeb()
            let locked = try await stage.startWeb(["ATELIER_WEB_TOKENS": tokens], "locked-web")
            let screenshots = ProcessInfo.processInfo.environment["ATELIER_SCREENSHOTS"].map { [$0] } ?? []
            let run = try await ProgramRun(
                "/usr/bin/python3",
                [Servers.root + "/Tests/WebTests/browser.py", open, locked, reader.token, admin.token] + screenshots,
                environment: ["PATH": "/usr/bin:/bin", "HOME": folder.path, "no_proxy": "*"], within: 540)
            #expect(run.status == 0 && run.output.hasSuffix("all seen\n"), "\(run.output)\(run.errors)\n\(stage.log)")
        }
    }
}
