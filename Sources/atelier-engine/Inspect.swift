import ArgumentParser
import Engine

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Look into messages before they become jobs: orders on stdin, reports as JSON lines on stdout. The daemon \
            starts this.
            """)

    @Option(help: "The folder of the models.") var models: String

    func run() throws { try EngineInspection(models: models).run() }
}
