import ArgumentParser
import Catalogue
import Checkpoints
import Daemon
import Foundation
import Hashing
import Jobs
import Store

/// What is written does not take the place of what is there, unless that is said.
struct Overwriting: ParsableArguments {
    @Flag(help: "Write over what is there.") var force = false

    private static let remedy = "give another --out, or --force"

    /// - Throws: `OutputPlace.Fault` where nothing can be written, ``Taken`` for a folder with an adapter in it.
    func check(_ path: String, _ format: AdapterFormat? = nil) throws {
        guard format == .peft else {
            return try force ? OutputPlace.file(path) : OutputPlace.newFile(path, remedy: Self.remedy)
        }
        try OutputPlace.folder(path)
        if !force, let file = AdapterWriter.adapterFiles(in: path).first {
            throw Taken(description: "\(file) is there already; \(Self.remedy)")
        }
    }

    /// Why a folder is left as it is.
    struct Taken: Error, CustomStringConvertible { let description: String }
}

extension ConceptsCommand {
    struct Convert: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a concept's file, learnt by LoRA, in another program's form; needs no servers.")
        @Argument(help: "The concept's file, as export writes it.") var file: String
        @Option(help: "peft (a folder), diffusers or kohya.") var format: String
        @Option(help: "The file, or PEFT's folder.") var out: String
        @OptionGroup var overwriting: Overwriting

        func run() async throws {
            guard let format = try AdapterFormat.named(format) else {
                throw ValidationError("--format: a concept's file is atelier's already; give peft, diffusers or kohya")
            }
            try converting {
                try overwriting.check(out, format)
                try AdapterWriter.convert(file, to: format, out)
            }
            print(printable(out))
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a concept, or a concept's file, of a low-rank adapter of PEFT, diffusers or kohya.",
            discussion:
                """
                A fine-tune that ARBooth's authors released is taken too. Names and shapes are held against the \
                model's: a key without a place is an error that names it. DoRA, whole weights and changes of \
                embedding tables are refused by name; changes of text encoders and convolutions are taken for \
                diffusion models. With --tenant it becomes the next version of that tenant's \
                concept, which jobs name as any other: run it on the daemon's host, as root or as who runs the daemon, \
                for it writes into the folder of artifacts. Without, a file is written, and no server is needed: \
                atelierctl run JOB.json --adapter NAME=FILE uses it.
                """)
        @OptionGroup var server: ServerOptions
        @Argument(help: "The adapter: PEFT's folder, or a file.") var file: String
        @Option(help: "The model it is for.") var model: String
        @Option(help: "What prompts call it, without < and >.") var name: String
        @Option(name: .customLong("class"), help: "The noun of what it shows.") var className: String?
        @Option(help: "subject or style.") var role = "subject"
        @Option(help: "Whose concept it becomes.") var tenant: String?
        @Option(help: "SDXL, SD3, SD3.5, FLUX.1: the words it was trained with, unless the file says them.")
        var trigger: String?
        @Option(help: "The file to write instead; NAME.safetensors unless given.") var out: String?
        @OptionGroup var overwriting: Overwriting

        func validate() throws {
            if tenant != nil, out != nil { throw ValidationError("give --tenant or --out, not both") }
            if tenant?.isEmpty == true || trigger?.isEmpty == true {
                throw ValidationError("--tenant and --trigger must not be empty")
            }
            guard ConceptMention.isName(name) else {
                throw ValidationError("--name: 1 to 64 of a-z, 0-9, _ and -, the first a letter or digit")
            }
            if let trigger, !TriggerPhrase.isOne(trigger) {
                let found = JSONValue.string(trigger).brief
                throw ValidationError(Problem("--trigger", found: found, allowed: TriggerPhrase.rule).description)
            }
            if let className, !ConceptSpec.isNoun(className) {
                let found = JSONValue.string(className).brief
                throw ValidationError(Problem("--class", found: found, allowed: ConceptSpec.nounRule).description)
            }
        }

        func run() async throws {
            guard let role = ConceptRole(rawValue: role) else { throw ValidationError("--role: subject or style") }
            let directory = try server.settings(needing: ["modelsDirectory"]).modelsDirectory
            guard let model = try? ModelCatalogue(directory: directory)[model] else {
                Terminal.note("atelierctl: there is no model \(printable(self.model)) in \(printable(directory))")
                throw ExitStatus.notFound
            }
            let concept = AdapterImport.Concept(name: name, role: role, className: className ?? "", trigger: trigger)
            if let tenant { return try await enter(concept, for: model, of: tenant) }
            let path = out ?? name + ".safetensors"
            try converting {
                try overwriting.check(path)
                warn(try AdapterImport(model: model).write(file, as: concept, to: path))
            }
            print(server.json ? JSONValue.object(["path": .string(path)]).text : printable(path))
        }

        private func warn(_ outcome: AdapterImport.Outcome) {
            for warning in outcome.warnings { Terminal.note("warning: \(printable(warning))") }
        }

        /// Writes it among the artifacts, then into the tables: a concept never stands on bytes that are not there.
        private func enter(_ concept: AdapterImport.Concept, for model: ModelFolder, of tenant: String) async throws {
            let settings = try server.settings(needing: ["postgresURL", "stateDirectory", "modelsDirectory"])
            let folder = NSTemporaryDirectory() + "atelier-\(UUID().uuidString)"
            try writing(to: folder) {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let path = "\(folder)/\(concept.name).safetensors"
            let (outcome, digest, bytes) = try converting {
                let outcome = try AdapterImport(model: model).write(file, as: concept, to: path)
                warn(outcome)
                let digest = try SHA256Digest.ofFile(path)
                let bytes = try ArtifactDirectory(root: settings.artifactsDirectory).take(
                    path, inside: folder, announced: digest)
                return (outcome, digest, bytes)
            }
            let spec = concept.spec(outcome, model: model.name, file: (file as NSString).lastPathComponent)
            let version = try await reporting {
                try await server.store().importConcept(spec, tenant: tenant, adapter: digest, bytes: bytes)
            }
            let answer: JSONValue = [
                "name": .string(concept.name), "version": .integer(version), "tenant": .string(tenant),
                "sha256": .string(digest.description),
            ]
            print(server.json ? answer.text : "\(concept.name)@\(version) of \(printable(tenant))")
        }
    }
}

extension AdapterImport.Concept {
    /// What the message of a personalization would say of it.
    fileprivate func spec(_ outcome: AdapterImport.Outcome, model: String, file: String) -> JSONValue {
        var options: [String: JSONValue] = ["file": .string(file)]
        options["trigger"] = outcome.trigger.map(JSONValue.string)
        options["rows"] = outcome.rows.map(JSONValue.integer)
        return [
            "version": 1, "kind": "import", "method": .string(outcome.method), "model": .string(model),
            "concept": ["name": .string(name), "role": .string(role.rawValue), "class": .string(className)],
            "options": .object(options),
        ]
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
    /// Writes a concept's file in another form, and says what has no place there, and the words of its concepts.
    /// - Parameter form: its network's form, where the model is known.
    /// - Returns: the files that were written.
    @discardableResult
    static func convert(
        _ file: String, to format: AdapterFormat, _ path: String, form: NetworkForm? = nil
    ) throws -> [String] {
        let named = try AdapterReader(file).read()
        let written = try AdapterWriter(named.changes, words: named.words).write(format, to: path, form: form)
        if let wording = AdapterFormat.wording(of: named.words) { Terminal.note(printable(wording)) }
        for remark in named.embeddings.map(format.lacking) + (named.actsOn == nil ? [] : [format.spreading]) {
            Terminal.note("warning: " + printable(remark))
        }
        return written
    }
}

/// Runs a conversion; what is wrong ends the program as bad input.
func converting<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch {
        let lines = sentence(of: error).split(separator: "\n").map { printable(String($0)) }
        Terminal.note("atelierctl: " + lines.joined(separator: "\n  "))
        throw ExitStatus.badInput
    }
}
