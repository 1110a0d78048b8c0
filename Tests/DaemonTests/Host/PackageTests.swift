import DaemonTesting
import Foundation
import ServerTesting
import Testing

/// The Debian package that `ops/package` builds, of the programs of this build.
@Suite(.timeLimit(.minutes(15))) struct PackageTests {
    private static let isInstalled = ["/usr/bin/lintian", "/usr/bin/dpkg-deb"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: isInstalled, "lintian is not installed: the package is not checked"))
    func itHoldsEverythingAndLintianIsSilent() async throws {
        let folder = try TemporaryFolder()
        let environment = ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder.path, "ATELIER_PACKAGE_LEVEL": "0"]
        let built = try await ProgramRun(
            Servers.root + "/ops/package", ["--programs", Stage.programs, "--out", folder.path],
            environment: environment, within: 300)
        let package = try #require(built.lines.last, "\(built)")
        #expect(built.status == 0 && package.hasSuffix("_amd64.deb"), "\(built)")
        // The programs of a test's build find Swift where the toolchain is; those of a package have it inside.
        let found = try await ProgramRun(
            "/usr/bin/lintian",
            ["--suppress-tags", "custom-library-search-path", "--fail-on", "error,warning", package],
            environment: environment, within: 300)
        #expect(found.status == 0, "\(found.output)\(found.errors)")
        let list = try await ProgramRun("/usr/bin/dpkg-deb", ["--contents", package], environment: environment)
        for path in [
            "usr/bin/atelierd", "usr/bin/atelier-web", "usr/share/atelier/sql/roles.sql",
            "usr/share/atelier/web/templates/layout.mustache", "usr/share/atelier/models/pocket-infinity/model.json",
            "lib/systemd/system/atelier-web.service", "usr/share/man/man8/atelierd.8.gz",
            "usr/share/bash-completion/completions/atelierctl", "etc/atelier/atelier.json",
            "usr/share/doc/atelier/docs/operations.md", "usr/share/atelier/schemas/openapi.json",
        ] { #expect(list.output.contains("./\(path)\n"), "\(path) is not in it") }
        // What it holds works from where it lies.
        let tree = folder.path + "/tree"
        let unpacked = try await ProgramRun("/usr/bin/dpkg-deb", ["-x", package, tree], environment: environment)
        #expect(unpacked.status == 0)
        let run = try await ProgramRun(
            tree + "/usr/bin/atelierctl", ["migrate", "--dry-run"],
            environment: environment.merging(["ATELIER_POSTGRES_URL": "postgresql://nobody@127.0.0.1:1/none"]) { $1 })
        #expect(run.status == 69, "the migrations are not found: \(run)")
    }
}
