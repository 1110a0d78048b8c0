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
        var isWithin = true
        for folder in folders {
            let report = try Conformance.run(folder)
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
            isWithin = isWithin && report.isWithin
        }
        if !isWithin { throw ExitCode.failure }
    }
}
