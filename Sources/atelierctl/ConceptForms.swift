import ArgumentParser
import Catalogue
import Checkpoints
import Daemon
import Foundation
import Jobs

extension ConceptsCommand {
    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a concept's file, learnt by LoRA, in another program's form; needs no servers.")
        @Argument(help: "The concept's file, as export writes it.") var file: String
        @Option(help: "peft (a folder), diffusers or kohya.") var format: String
        @Option(help: "The file, or PEFT's folder.") var out: String

        func run() async throws {
            guard let format = try AdapterFormat.named(format) else {
                throw ValidationError("--format: a concept's file is atelier's already; give peft, diffusers or kohya")
            }
            try converting { try AdapterWriter(of: file).write(format, to: out) }
            print(printable(out))
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a concept's file of a low-rank adapter of PEFT, diffusers or kohya.",
            discussion:
                """
                Names and shapes are held against the model's: a key without a place is an error that names it. DoRA, \
                whole weights and changes of embedding tables are refused by name. atelierctl run JOB.json --adapter \
                NAME=FILE uses the file. Reads the model's files on this host; needs no servers.
                """)
        @OptionGroup var server: ServerOptions
        @Argument(help: "The adapter: PEFT's folder, or a file.") var file: String
        @Option(help: "The model it is for.") var model: String
        @Option(help: "What prompts call it, without < and >.") var name: String
        @Option(name: .customLong("class"), help: "The noun of what it shows.") var className = ""
        @Option(help: "subject or style.") var role = "subject"
        @Option(help: "The file; NAME.safetensors unless given.") var out: String?

        func run() async throws {
            guard let role = ConceptRole(rawValue: role) else { throw ValidationError("--role: subject or style") }
            let directory = try server.settings(needing: ["modelsDirectory"]).modelsDirectory
            guard let model = try? ModelCatalogue(directory: directory)[model] else {
                Terminal.note("atelierctl: there is no model \(printable(self.model)) in \(printable(directory))")
                throw ExitStatus.notFound
            }
            let path = out ?? name + ".safetensors"
            try converting {
                try AdapterImport(model: model).write(
                    file, as: .init(name: name, role: role, className: className), to: path)
            }
            print(server.json ? JSONValue.object(["path": .string(path)]).text : printable(path))
        }
    }
}

extension AdapterFormat {
    /// The format of a name; nil for our own.
    static func named(_ name: String) throws -> AdapterFormat? {
        if name == "atelier" { return nil }
        guard let format = AdapterFormat(rawValue: name) else {
            let known = (["atelier"] + allCases.map(\.rawValue)).joined(separator: ", ")
            throw ValidationError("\(name) is no form of an adapter; known are \(known)")
        }
        return format
    }
}

extension AdapterWriter {
    /// Of a concept's file.
    init(of path: String) throws {
        let changes = try AdapterReader(path).read().changes
        try self.init(Dictionary(changes.map { ($0.key.name, $0.value) }) { first, _ in first })
    }
}

/// Runs a conversion; what is wrong ends the program as bad input.
func converting(_ body: () throws -> Void) throws {
    do { try body() } catch {
        Terminal.note("atelierctl: \(printable("\(error)"))")
        throw ExitStatus.badInput
    }
}
