import ArgumentParser
import Catalogue
import Daemon
import Foundation
import Jobs

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema (2020-12) of a job's body, with every option, its values and its default.",
        discussion:
            """
            Names the models of this host where there are any. ops/schemas/job.json is the output with --any-model, \
            valid wherever other models are; events, control messages and the AsyncAPI document lie beside it.
            """)
    @OptionGroup var server: ServerOptions
    @Flag(help: "For any host, whatever models it has.") var anyModel = false
    @Flag(help: "Print the options of every method as Markdown instead.") var options = false

    func run() throws {
        if options { return print(OptionReference.markdown, terminator: "") }
        let folder = try server.settings(needing: []).modelsDirectory
        let models = anyModel ? nil : try? ModelCatalogue(directory: folder).usable
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        print(String(decoding: try encoder.encode(JobSchema(models: models).document), as: UTF8.self))
    }
}
