import ArgumentParser
import Catalogue
import Daemon
import Foundation
import Hashing
import Jobs
import Store

struct Models: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The models of this host: what they are, whether their files are whole, more and fewer of them.",
        discussion: "A running daemon notices what is added and removed, and says so to the others.",
        subcommands: [List.self, Show.self, Add.self, Verify.self, Seal.self, Remove.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List models with their family and size; with --cluster those that the daemons hold.")
        @OptionGroup var server: ServerOptions
        @Flag(help: "Those that workers have registered, with who holds them.") var cluster = false

        func run() async throws {
            if cluster { return try await listCluster() }
            let models = try catalogue(server).models
            if server.json { return print(JSONValue.array(models.map { $0.json(problems: $0.problems) }).text) }
            var table = Table("MODEL", "FAMILY", "VERSION", ">PARAMETERS", ">BYTES", "JOBS", "STATE")
            for model in models {
                table.append(
                    model.name, model.description?.family.rawValue ?? "", model.description?.version ?? "",
                    String(model.parameters), String(model.bytes),
                    model.description?.family.draws == true ? "yes" : "no",
                    model.problems.isEmpty ? "whole" : "unusable: \(counted(model.problems.count, "problem"))")
            }
            for line in table.lines() { print(line) }
        }

        private func listCluster() async throws {
            let rows = try await reporting { try await server.store().modelsOfCluster() }
            if server.json { return print(JSONValue.array(rows).text) }
            var table = Table("MODEL", "FAMILY", "VERSION", "DIGEST", ">WORKERS", "HELD BY")
            for row in rows {
                func text(_ name: String) -> String { row[name]?.string ?? "" }
                table.append(
                    text("model"), text("family"), text("version"), String(text("digest").prefix(12)),
                    row["workers"]?.text ?? "", text("held_by"))
            }
            for line in table.lines() { print(line) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a model says of itself: family, picture sizes, limits, encoders, sampling, digest.")
        @OptionGroup var server: ServerOptions
        @Argument(help: "The model's name.") var name: String

        func run() async throws {
            let model = try chosen(server, [name])[0]
            if server.json { return print(model.json(problems: model.problems).text) }
            for (name, value) in model.lines { print(name.padding(toLength: 20, withPad: " ", startingAt: 0) + value) }
            for problem in model.problems { print("BAD                 " + printable(problem)) }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a model from this host.",
            discussion:
                """
                Concepts learnt on it stay, and are of use again where the same model is. Jobs that wait for it wait \
                until a worker holds it. Shows what it will remove and asks; --yes for scripts.
                """
        )
        @OptionGroup var server: ServerOptions
        @OptionGroup var consent: Consent
        @Argument(help: "The model's name.") var name: String

        func run() async throws {
            let model = try chosen(server, [name])[0]
            let what = "\(printable(model.folder)) (\(model.bytes) bytes)"
            guard !consent.dryRun else {
                return print(server.json ? model.json(problems: model.problems).text : "would remove \(what)")
            }
            try consent.confirm("remove \(what)")
            do {
                try ModelInstallation(directory: (model.folder as NSString).deletingLastPathComponent).remove(name)
            } catch {
                Terminal.note("atelierctl: \(printable(sentence(of: error)))")
                throw ExitStatus.badInput
            }
            print(server.json ? JSONValue.object(["removed": .string(name)]).text : "removed \(what)")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read every byte of models and say what is wrong; exit code 2 if anything is.",
            discussion:
                """
                Every model, or those named; those whose files are whole are read by the engine as a job reads them. \
                Each has a \(ChecksumFile.name) beside its files, which sha256sum -c \
                reads too.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []

        func run() async throws {
            let settings = try server.settings(needing: ["modelsDirectory"])
            let models = try chosen(server, names)
            let found = try await EngineScratch.with(settings) { settings in
                var found: [(ModelFolder, [String])] = []
                for model in models { found.append((model, await problems(of: model, settings))) }
                return found
            }
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

        private func problems(of model: ModelFolder, _ settings: Settings) async -> [String] {
            let problems = model.verify()
            if let hint = model.sealHint { Terminal.note("atelierctl: \(printable("\(model.name): \(hint)"))") }
            return problems.isEmpty ? await problemsOfTrial(model, settings) : problems
        }
    }

    /// What the engine says of a model.
    static func trial(of folder: String, _ settings: Settings) async -> ModelTrialReport {
        await ModelCheck(of: folder, settings, environment: ProcessInfo.processInfo.environment).report()
    }

    /// What the engine finds wrong with a model; who asked is told where nobody read it.
    private static func problemsOfTrial(_ model: ModelFolder, _ settings: Settings) async -> [String] {
        let report = await trial(of: model.folder, settings)
        if let untried = report.untried {
            Terminal.note("atelierctl: \(printable(model.name)) was not read as a job reads it: \(printable(untried))")
        }
        return report.problems
    }

    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write down what models are and the digests of their files as they are now.",
            discussion:
                """
                Every model, or those named: model.json, with the digest of the weights, and \(ChecksumFile.name). \
                What model.json says already stays. A model that lacks files, whose files are damaged, or that the \
                engine cannot read as a job reads it, is not sealed.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []
        @Option(help: "The version to write; the one that is there, or 1, unless given.") var version: String?

        func run() async throws {
            let settings = try server.settings(needing: ["modelsDirectory"])
            let models = try chosen(server, names)
            try await EngineScratch.with(settings) { try await seal(models, $0) }
        }

        private func seal(_ models: [ModelFolder], _ settings: Settings) async throws {
            var sealed: [JSONValue] = []
            var isRefused = false
            for model in models {
                do {
                    let files = try await files(sealing: model, settings)
                    sealed.append(["name": .string(model.name), "files": .array(files.map(JSONValue.string))])
                    if !server.json { print("\(model.name)  \(files.joined(separator: " "))") }
                } catch {
                    let problems = sentence(of: error).split(separator: "\n").map { "\n  " + printable(String($0)) }
                    Terminal.note("atelierctl: \(printable(model.folder)) was not sealed:\(problems.joined())")
                    isRefused = true
                }
            }
            if server.json { print(JSONValue.array(sealed).text) }
            if isRefused { throw ExitStatus.badInput }
        }

        /// What was edited by hand is read once, as a job would read it.
        private func files(sealing model: ModelFolder, _ settings: Settings) async throws -> [String] {
            try ModelFolder.checkFiles(model.folder)
            let problems = await problemsOfTrial(model, settings)
            guard problems.isEmpty else { throw ModelInstallation.Refusal(problems: problems) }
            return try ModelFolder.seal(model.folder, version: version)
        }
    }

    /// The models of this host.
    private static func catalogue(_ server: ServerOptions) throws -> ModelCatalogue {
        let folder = try server.settings(needing: ["modelsDirectory"]).modelsDirectory
        guard let catalogue = try? ModelCatalogue(directory: folder), !catalogue.models.isEmpty else {
            Terminal.note("atelierctl: there are no models in \(printable(folder)); set ATELIER_MODELS to their folder")
            throw ExitStatus.notFound
        }
        return catalogue
    }

    /// The models of those names, or all.
    private static func chosen(_ server: ServerOptions, _ names: [String]) throws -> [ModelFolder] {
        let catalogue = try catalogue(server)
        for name in names where catalogue[name] == nil {
            Terminal.note(
                """
                atelierctl: there is no model \(printable(name)); there are \
                \(catalogue.models.map(\.name).joined(separator: ", "))
                """
            )
            throw ExitStatus.notFound
        }
        return names.isEmpty ? catalogue.models : catalogue.models.filter { names.contains($0.name) }
    }
}
