import ArgumentParser
import Foundation
import Jobs

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema (2020-12) of a job's body, with every option, its values and its default.",
        discussion:
            "ops/schemas/job.json is this output; events, control messages and the AsyncAPI document lie beside it.")

    @Flag(help: "Print the options of every method as Markdown instead.") var options = false

    func run() throws {
        if options { return print(OptionReference.markdown, terminator: "") }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        print(String(decoding: try encoder.encode(JobSchema.document), as: UTF8.self))
    }
}
