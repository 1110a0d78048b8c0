import ArgumentParser
import Catalogue
import Checkpoints
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

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a model among the models: a folder of ours, or a release as it is downloaded.",
            discussion:
                """
                A folder that holds a model in our layout (config.json, its files of weights, tokenizer.json where it \
                reads texts) is copied. Anything else is looked at: a release is recognized by the names and shapes in \
                its files (Infinity, Lumina-mGPT, LlamaGen, SDXL, SD3, SD3.5, FLUX.1, CLIP, DINO, LPIPS), its weights \
                are converted once to safetensors or linked, and everything that is missing is said at once. The \
                engine then reads the model as a job would, where it fits the memory. Written beside: model.json, \
                which describes it, release.json, which says what it was made of, and \
                \(ChecksumFile.name). Nothing is seen of it before it is whole.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Files and folders: all that belongs to the model.") var paths: [String]
        @Option(help: "What jobs will call it; like its folder or file unless given.") var name: String?
        @Option(help: "Where the files are of several families: which is meant.") var family: String?
        @Flag(help: "Leave the weights where they are, and link to them.") var link = false
        @Option(help: "What the weights become: stored (bf16 stays, all else f32), bf16, f32 or int8.")
        var precision = "stored"
        @Option(help: "Infinity: pixels of its pictures (0.06M, 0.25M, 0.60M, 1M); by its name, or 1M, unless given.")
        var pixels: String?
        @Option(help: "Infinity: height over width of its pictures.") var ratio = 1.0
        @Option(help: "All but Infinity: pixels on a side of its pictures; by its name unless given.") var side: Int?
        @Option(help: "Heads of the attention, where no file tells them.") var heads: Int?

        func run() async throws {
            let settings = try server.settings(needing: ["modelsDirectory"])
            do {
                let staged = try staged(for: ModelInstallation(directory: settings.modelsDirectory))
                let report = try await EngineScratch.with(settings) { await trial(of: staged.folder, $0) }
                guard report.problems.isEmpty else { throw ModelInstallation.Refusal(problems: report.problems) }
                let model = try staged.settle()
                let untried = report.untried.map { ["it was not read as a job reads it: \($0)"] } ?? []
                for warning in staged.warnings + untried { Terminal.note("atelierctl: warning: \(printable(warning))") }
                print(server.json ? model.json(problems: []).text : printable(model.folder))
            } catch {
                Terminal.note(
                    "atelierctl: \(paths.map(printable).joined(separator: " ")) was not added:\n"
                        + "\(error)".split(separator: "\n").map { "  " + printable(String($0)) }.joined(separator: "\n")
                )
                throw ExitStatus.badInput
            }
        }

        /// Those that were given and say how a release becomes a model.
        private var optionsOfReleases: [String] {
            let given = [
                ("family", family != nil), ("precision", precision != "stored"), ("pixels", pixels != nil),
                ("ratio", ratio != 1), ("side", side != nil), ("heads", heads != nil),
            ]
            return given.filter(\.1).map(\.0)
        }

        private func staged(for models: ModelInstallation) throws -> StagedModel {
            if paths.count == 1, ModelInstallation.isModel(paths[0]), !link {
                let unfit = optionsOfReleases.map { "--\($0) is for releases; \(paths[0]) is copied as it is" }
                guard unfit.isEmpty else { throw ModelInstallation.Refusal(problems: unfit) }
                return try models.stage(paths[0], name: name)
            }
            let known = ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
            let meant = family.flatMap(ModelFamily.init(rawValue:))
            let precision = CheckpointConversion.Precision(rawValue: self.precision)
            let problems = [
                family == nil || meant != nil ? nil : "there is no family \(family!); known are \(known)",
                precision == nil ? "\(self.precision) is no precision; stored, bf16, f32 and int8 are" : nil,
            ].compactMap { $0 }
            guard problems.isEmpty, let precision else { throw ModelInstallation.Refusal(problems: problems) }
            var wishes = ReleaseWishes()
            (wishes.pixels, wishes.ratio, wishes.side, wishes.heads) = (pixels, ratio, side, heads)
            wishes.family = meant
            return try models.stage(release: paths, name: name, wishes: wishes, links: link, precision: precision)
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
                Terminal.note("atelierctl: \(printable("\(error)"))")
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
            guard problems.isEmpty else { return problems }
            let report = await trial(of: model.folder, settings)
            if let untried = report.untried {
                Terminal.note(
                    "atelierctl: \(printable(model.name)) was not read as a job reads it: \(printable(untried))")
            }
            return report.problems
        }
    }

    /// What the engine says of a model.
    private static func trial(of folder: String, _ settings: Settings) async -> ModelTrialReport {
        await ModelCheck(of: folder, settings, environment: ProcessInfo.processInfo.environment).report()
    }

    struct Seal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write down what models are and the digests of their files as they are now.",
            discussion:
                """
                Every model, or those named: model.json, with the digest of the weights, and \(ChecksumFile.name). \
                What model.json says already stays.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Names of models.") var names: [String] = []
        @Option(help: "The version to write; the one that is there, or 1, unless given.") var version: String?

        func run() async throws {
            for model in try chosen(server, names) {
                do {
                    let files = try ModelFolder.seal(model.folder, version: version)
                    print(
                        server.json
                            ? JSONValue.object([
                                "name": .string(model.name), "files": .array(files.map(JSONValue.string)),
                            ]).text : "\(model.name)  \(files.joined(separator: " "))")
                } catch {
                    Terminal.note(
                        "atelierctl: \(printable(model.folder)) could not be sealed: \(printable("\(error)"))")
                    throw ExitStatus.badInput
                }
            }
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

extension ModelFolder {
    fileprivate var parameters: Int { weights.reduce(0) { $0 + $1.parameters } }
    fileprivate var bytes: Int { weights.reduce(0) { $0 + $1.bytes } }

    fileprivate func json(problems: [String]) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "parameters": .integer(parameters), "bytes": .integer(bytes),
            "jobs": .bool(description?.family.draws ?? false), "problems": .array(problems.map(JSONValue.string)),
        ]
        members["folder"] = .string(folder)
        members["description"] = description.flatMap { try? JSONValue($0) }
        members["release"] = ReleaseRecord(in: folder).flatMap { try? JSONValue($0) }
        members["weights"] = .array(
            weights.map {
                ["name": .string($0.name), "parameters": .integer($0.parameters), "bytes": .integer($0.bytes)]
            })
        return .object(members)
    }

    /// What there is to say of it, for people.
    fileprivate var lines: [(String, String)] {
        let files = weights.map { ("weights", "\($0.name), \($0.parameters) parameters, \($0.bytes) bytes") }
        guard let description else { return [("name", name), ("folder", printable(folder))] + files }
        let limits = [
            ("tokens of a prompt", description.limits.promptTokens), ("scales", description.limits.scales),
            ("layers", description.limits.layers), ("codes", description.limits.codes),
        ].compactMap { name, value in value.map { (name, String($0)) } }
        let encoders = description.encoders.map { [("encoders", "\($0.clip), \($0.dino)")] } ?? []
        let sampling = description.sampling.sorted { $0.key < $1.key }.map { ($0.key, $0.value.text) }
        let settings = FileManager.default.contents(atPath: "\(folder)/\(ModelLayout.configuration)").flatMap {
            try? JSONValue(json: $0)
        }
        let scales = settings?["schedule"]?["sides"]?.array?.compactMap { side in
            side["height"]?.integer.flatMap { height in side["width"]?.integer.map { "\(height)×\($0)" } }
        }
        let schedule = scales.map { [("schedule", $0.joined(separator: " "))] } ?? []
        let learning = (description.training ?? [:]).sorted { $0.key < $1.key }.map { method, options in
            let words = options.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
            return ("learning", "\(method): \(words.joined(separator: ", "))")
        }
        let sides = description.sides.map { ["sides of \($0.least) to \($0.most) that \($0.multiple) divides"] } ?? []
        let pictures = (description.pictures.map(\.description) + sides).joined(separator: ", ")
        return [
            ("name", name), ("family", description.family.rawValue), ("version", printable(description.version)),
            ("folder", printable(folder)), ("pictures", pictures),
        ] + release + limits + schedule + encoders + sampling + learning + [("digest", description.digest)] + files
    }

    /// What it was made of, where that was a release.
    private var release: [(String, String)] {
        guard let record = ReleaseRecord(in: folder) else { return [] }
        let sources = record.sources.sorted { $0.key < $1.key }.map { name, path in
            ("made of", printable("\(name): \(record.isLinked ? "link to " : "")\(path)"))
        }
        return [("release", printable(record.title))] + sources + record.warnings.map { ("warning", printable($0)) }
    }
}
