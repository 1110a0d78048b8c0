import ArgumentParser
import Daemon
import Foundation
import Jobs

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the models of this host, and whether their files are whole.", subcommands: [List.self, Verify.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List models with their size.")
        @OptionGroup var server: ServerOptions

        func run() async throws {
            let models = try installed(server)
            if server.json { return print(JSONValue.array(models.map(\.json)).text) }
            var table = Table("MODEL", ">PARAMETERS", ">BYTES", "JOBS", "STATE")
            for model in models {
                table.append(
                    model.name, String(model.parameters), String(model.bytes), model.isNamedByJobs ? "yes" : "no",
                    model.problems.isEmpty ? "whole" : "damaged: \(model.problems.count) of its files")
            }
            for line in table.lines() { print(line) }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what is wrong with models; exit code 2 if anything is.", discussion: "Every model, or those named.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []

        func run() async throws {
            let models = try installed(server)
            for name in names where !models.contains(where: { $0.name == name }) {
                Terminal.say("atelierctl: there is no model \(printable(name)); there are \(models.map(\.name).joined(separator: ", "))")
                throw ExitStatus.notFound
            }
            let chosen = models.filter { names.isEmpty || names.contains($0.name) }
            if server.json { print(JSONValue.array(chosen.map(\.json)).text) } else {
                for model in chosen { print("\(model.problems.isEmpty ? "ok  " : "BAD ") \(model.name)\(model.problems.map { "\n     " + printable($0) }.joined())") }
            }
            if chosen.contains(where: { !$0.problems.isEmpty }) { throw ExitStatus.unhealthy }
        }
    }

    private static func installed(_ server: ServerOptions) throws -> [ModelFolder] {
        let folder = try server.settings(needing: ["modelsDirectory"]).modelsDirectory
        guard let models = try? ModelFolder.all(in: folder), !models.isEmpty else {
            Terminal.say("atelierctl: there are no models in \(printable(folder)); set ATELIER_MODELS to their folder")
            throw ExitStatus.notFound
        }
        return models
    }
}

extension ModelFolder {
    fileprivate var parameters: Int { weights.reduce(0) { $0 + $1.parameters } }
    fileprivate var bytes: Int { weights.reduce(0) { $0 + $1.bytes } }
    fileprivate var json: JSONValue {
        .object([
            "name": .string(name), "parameters": .integer(parameters), "bytes": .integer(bytes), "jobs": .bool(isNamedByJobs),
            "problems": .array(problems.map(JSONValue.string)),
        ])
    }
}
