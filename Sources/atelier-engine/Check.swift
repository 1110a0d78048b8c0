import ArgumentParser
import Engine
import Jobs

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Read a model as a job would and say what is wrong with it, as a JSON line. `atelierctl models add` and \
            `verify` start this.
            """)

    @Argument(help: "The model's folder.") var folder: String

    func run() { print(String(decoding: ModelTrial(folder).report().line, as: UTF8.self)) }
}
