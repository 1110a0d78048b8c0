import ArgumentParser
import Lab

struct Conform: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Run fixtures of reference implementations, or releases, and compare every recorded tensor; exit 0 only \
            within tolerance.
            """
    )

    @Argument(
        help: """
            Folders: fixtures (case.json, io.safetensors, weights.safetensors), or releases as downloaded, with \
            expected.json and expected.safetensors beside their files.
            """) var folders: [String]

    func run() throws {
        let failed = folders.filter { !isWithin($0) }
        if !failed.isEmpty { throw ExitCode.failure }
    }

    /// Whether a folder's numbers are within tolerance; one that cannot be run is reported as not, and the next has its
    /// turn.
    private func isWithin(_ folder: String) -> Bool {
        // Releases are looked for beside it, where a slash at its end would lead elsewhere.
        let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        do {
            let report = try Conformance.run(folder)
            show(report, of: folder)
            return report.isWithin
        } catch {
            print("FAIL \(folder) could not be run: \(error)")
            return false
        }
    }

    private func show(_ report: ConformanceReport, of folder: String) {
        for line in report.lines {
            print(
                """
                \(line.isWithin ? "ok  " : "FAIL") \(folder) \(line.name) error \(line.error) tolerance \
                \(line.tolerance)
                """
            )
        }
        let failed = report.lines.count { !$0.isWithin }
        print(
            """
            \(folder): \(report.isWithin ? "within tolerance" : "NOT within tolerance"), \(report.lines.count) \
            compared, \(failed) outside
            """
        )
    }
}
