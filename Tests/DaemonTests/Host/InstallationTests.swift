import DaemonTesting
import Foundation
import ServerTesting
import Testing

@testable import Daemon

/// Where `sql` and `models` are found, by the type and by the program.
@Suite struct InstallationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func make(_ path: String) throws -> String {
        try FileManager.default.createDirectory(atPath: folder.path + path, withIntermediateDirectories: true)
        return folder.path + path
    }

    @Test func thePlacesComeInThisOrder() throws {
        let checkout = try make("/checkout")
        func places(_ programs: String) -> [String] {
            Installation(programs: programs, workingDirectory: checkout).candidates("sql")
        }
        #expect(places("/usr/bin") == ["/usr/share/atelier/sql", "/usr/bin/sql", "/usr/sql"])
        #expect(
            places("/opt/a/bin") == [
                "/opt/a/share/atelier/sql", "/opt/a/bin/sql", "/opt/a/sql", "/opt/sql", "/usr/share/atelier/sql",
            ])
        _ = try folder.write("checkout/Package.swift", "")
        #expect(
            places("/scratch/release") == [
                "/scratch/share/atelier/sql", "/scratch/release/sql", "/scratch/sql", checkout + "/sql",
                "/usr/share/atelier/sql",
            ])
    }

    @Test func theFirstFolderIsTaken() throws {
        let programs = try make("/usr/bin")
        let checkout = try make("/checkout")
        let installation = Installation(programs: programs, workingDirectory: checkout)
        _ = try folder.write("checkout/Package.swift", "")
        _ = try folder.write("usr/bin/sql", "a file is no folder")
        let inCheckout = try make("/checkout/sql")
        #expect(installation.folder("sql") == inCheckout)
        let installed = try make("/usr/share/atelier/sql")
        #expect(installation.folder("sql") == installed)
        #expect(installation.folder("nowhere-\(UUID())") == nil)
    }

    @Test func aBuildBelowTheCheckoutFindsItFromAnywhere() throws {
        let sql = try make("/checkout/sql")
        let programs = try make("/checkout/.build/x86_64-unknown-linux-gnu/release")
        #expect(Installation(programs: programs, workingDirectory: "/").folder("sql") == sql)
    }

    /// Runs a copy of a program that lies in `programs`, with a database that is not there; gives the status and what
    /// it said.
    private func run(
        _ name: String, _ arguments: [String], from programs: String, in workingDirectory: String
    ) async throws -> (status: Int32, text: String) {
        let program = programs + "/" + name
        if !FileManager.default.fileExists(atPath: program) {
            _ = try folder.copyProgram(
                "\(Stage.programs)/\(name)", as: String(program.dropFirst(folder.path.count + 1)))
        }
        let environment = SettingsTests.complete.filter { $0.key != "ATELIER_MODELS" }.merging([
            "ATELIER_POSTGRES_URL": "postgresql://127.0.0.1:1/nowhere"
        ]) { $1 }
        let run = try await ProgramRun(program, arguments, environment: environment, in: workingDirectory)
        return (run.status, run.errors)
    }

    @Test(
        .enabled(
            if: !FileManager.default.fileExists(atPath: "/usr/share/atelier"),
            "Atelier is installed here: its own folders would be found"))
    func theProgramsSayWhereTheyLooked() async throws {
        let programs = try make("/usr/bin")
        let share = folder.path + "/usr/share/atelier"
        let missing = try await run("atelierctl", ["migrate"], from: programs, in: folder.path)
        #expect(missing.status == 78)
        #expect(
            missing.text.hasPrefix("atelierctl: there is no folder sql; looked at \(share)/sql, \(programs)/sql, "),
            "\(missing.text)")
        #expect(missing.text.hasSuffix(", /usr/share/atelier/sql; give it with --sql\n"))
        let check = try await run("atelierd", ["check"], from: programs, in: folder.path)
        #expect(
            check.status == 78
                && check.text.contains(
                    "modelsDirectory: is not set; there is no folder models; looked at \(share)/models, "),
            "\(check.text)")

        let empty = try make("/usr/share/atelier/sql")
        let nothing = try await run("atelierctl", ["migrate"], from: programs, in: folder.path)
        #expect(nothing.status == 78 && nothing.text == "atelierctl: \(empty)/migrations holds no .sql files\n")
        let given = try await run("atelierctl", ["migrate", "--sql", share + "/no"], from: programs, in: folder.path)
        #expect(given.status == 78 && given.text == "atelierctl: \(share)/no is not a folder that can be read\n")
    }

    @Test func theProgramComesAsFarAsTheDatabase() async throws {
        let installed = try make("/usr/bin")
        let built = try make("/scratch/release")
        let checkout = try make("/checkout")
        for parent in [try make("/usr/share/atelier"), checkout] {
            try FileManager.default.copyItem(atPath: Servers.root + "/sql", toPath: parent + "/sql")
        }
        _ = try folder.write("checkout/Package.swift", "")
        for (programs, directory) in [(installed, "/"), (built, checkout)] {
            let (status, text) = try await run("atelierctl", ["migrate"], from: programs, in: directory)
            #expect(status == 69 && text.contains("PostgreSQL is unavailable"), "\(text)")
        }
    }
}
