import ArgumentParser
import Daemon
import Foundation
import Hashing
import Jobs

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the models of this host, and whether their files are whole.",
        subcommands: [List.self, Verify.self, Seal.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List models with their size.")
        @OptionGroup var server: ServerOptions

        func run() async throws {
            let models = try installed(server)
            if server.json { return print(JSONValue.array(models.map { $0.json(problems: $0.problems) }).text) }
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
            abstract: "Read every byte of models and say what is wrong; exit code 2 if anything is.",
            discussion:
                """
                Every model, or those named. Each has a \(ChecksumFile.name) beside its files, which sha256sum -c \
                reads too.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []

        func run() async throws {
            let found = try installed(server, names).map { ($0, $0.verify()) }
            if server.json {
                print(JSONValue.array(found.map { $0.json(problems: $1) }).text)
            } else {
                for (model, problems) in found {
                    print(
                        """
                        \(problems.isEmpty ? "ok  " : "BAD ") \
                        \(model.name)\(problems.map { "\n     " + printable($0) }.joined())
                        """
                    )
                }
            }
            if found.contains(where: { !$1.isEmpty }) { throw ExitStatus.unhealthy }
        }
    }

    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write down the digests of models' files as they are now.",
            discussion: "Every model, or those named: \(ChecksumFile.name), for models verify.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []

        func run() async throws {
            for model in try installed(server, names) {
                do {
                    let files = try ChecksumFile.write(in: model.folder)
                    print(
                        server.json
                            ? JSONValue.object([
                                "name": .string(model.name), "files": .array(files.map(JSONValue.string)),
                            ]).text : "\(model.name)  \(files.joined(separator: " "))")
                } catch {
                    Terminal.note(
                        """
                        atelierctl: \(printable(model.folder)) could not be sealed: \
                        \(printable(error.localizedDescription))
                        """
                    )
                    throw ExitStatus.badInput
                }
            }
        }
    }

    /// The models of those names, or all.
    private static func installed(_ server: ServerOptions, _ names: [String] = []) throws -> [ModelFolder] {
        let folder = try server.settings(needing: ["modelsDirectory"]).modelsDirectory
        guard let models = try? ModelFolder.all(in: folder), !models.isEmpty else {
            Terminal.note("atelierctl: there are no models in \(printable(folder)); set ATELIER_MODELS to their folder")
            throw ExitStatus.notFound
        }
        for name in names where !models.contains(where: { $0.name == name }) {
            Terminal.note(
                """
                atelierctl: there is no model \(printable(name)); there are \
                \(models.map(\.name).joined(separator: ", "))
                """
            )
            throw ExitStatus.notFound
        }
        return names.isEmpty ? models : models.filter { names.contains($0.name) }
    }
}

extension ModelFolder {
    fileprivate var parameters: Int { weights.reduce(0) { $0 + $1.parameters } }
    fileprivate var bytes: Int { weights.reduce(0) { $0 + $1.bytes } }
    fileprivate func json(problems: [String]) -> JSONValue {
        .object([
            "name": .string(name), "parameters": .integer(parameters), "bytes": .integer(bytes),
            "jobs": .bool(isNamedByJobs),
            "problems": .array(problems.map(JSONValue.string)),
        ])
    }
}
