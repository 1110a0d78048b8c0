import ArgumentParser
import Catalogue
import Checkpoints
import Daemon
import Foundation
import Hashing
import Jobs
import Store

struct ConceptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "concepts", abstract: "Look at what was learnt, take it along, delete it.",
        discussion: "A concept belongs to a tenant and has versions; prompts mean the newest.",
        subcommands: [List.self, Show.self, Export.self, Convert.self, Import.self, Delete.self],
        defaultSubcommand: List.self)

    /// Which concept: its name, and more where that is not enough.
    struct Choice: ParsableArguments {
        @Argument(help: "The concept's name, without < and >.") var name: String
        @Option(help: "Whose; needed where several tenants have a concept of this name.") var tenant: String?
        @Option(help: "Which version; unless given the newest, and with delete all of them.") var version: Int?

        /// Its versions, newest first; ends the program where there is none, or where tenants share the name.
        func versions(in store: Store) async throws -> [JSONValue] {
            let found = try await store.concepts(name: name, tenant: tenant, version: version)
            let tenants = Set(found.compactMap { $0["tenant"]?.string }).sorted()
            if found.isEmpty {
                Terminal.note("atelierctl: there is no concept \(printable(described))\(try await others(in: store))")
                throw ExitStatus.notFound
            }
            guard tenants.count == 1 else {
                Terminal.note(
                    """
                    atelierctl: \(tenants.map(printable).joined(separator: ", ")) have a concept \(printable(name)); \
                    say whose with --tenant
                    """
                )
                throw ExitStatus.notFound
            }
            return found
        }

        private var described: String {
            name + (version.map { " of version \($0)" } ?? "") + (tenant.map { " of \($0)" } ?? "")
        }

        private func others(in store: Store) async throws -> String {
            var names: [String] = []
            for concept in try await store.concepts(tenant: tenant) {
                if let name = concept["name"]?.string, !names.contains(name) { names.append(name) }
            }
            return names.isEmpty
                ? "; nothing was learnt yet"
                : "; there are " + names.prefix(20).map(printable).joined(separator: ", ")
                    + (names.count > 20 ? " …" : "")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List concepts, each with its newest version.")
        @OptionGroup var server: ServerOptions
        @Option(help: "Only this tenant's.") var tenant: String?
        @Flag(help: "Every version.") var all = false

        func run() async throws {
            let versions = try await reporting { try await server.store().concepts(tenant: tenant) }
            var seen: Set<[String]> = []
            let rows = versions.filter {
                all || seen.insert([$0["tenant"]?.string ?? "", $0["name"]?.string ?? ""]).inserted
            }
            if server.json { return print(JSONValue.array(rows).text) }
            var table = Table("CONCEPT", ">VERSION", "ROLE", "CLASS", "METHOD", "MODEL", "TENANT", "LEARNT", "JOB")
            for row in rows {
                func text(_ name: String) -> String { row[name]?.string ?? "" }
                table.append(
                    text("name"), row["version"]?.text ?? "", text("role"), text("class"), text("method"),
                    text("model"), text("tenant"),
                    moment(text("created_at")), text("job"))
            }
            for line in table.lines() { print(line) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Everything about a concept: its adapter, its metrics, the job it comes from.")
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: Choice

        func run() async throws {
            let versions = try await reporting { try await choice.versions(in: try server.store()) }
            if server.json { return print(versions[0].text) }
            for name in [
                "name", "version", "role", "class", "trigger", "method", "model", "tenant", "created_at", "job",
                "message_id", "adapter_sha256", "adapter_bytes", "metrics",
            ] {
                guard let value = versions[0][name], value != .null else { continue }
                let text = value.string ?? value.text
                print(
                    name + String(repeating: " ", count: max(1, 16 - name.count))
                        + printable(name == "created_at" ? moment(text) : text))
            }
            let older = versions.dropFirst().compactMap { $0["version"]?.text }
            if !older.isEmpty { print("older versions  " + older.joined(separator: ", ")) }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Copy a concept's adapter into a file, verified by its SHA-256 (on the daemon's host: reads its state \
                folder).
                """,
            discussion:
                """
                atelierctl run JOB.json --adapter NAME=FILE uses it without servers. A concept learnt by LoRA is \
                written in other programs' forms too: PEFT's folder, diffusers' file, kohya's file.
                """)
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: Choice
        @Option(help: "The file, or PEFT's folder; NAME.safetensors or NAME-peft unless given.") var out: String?
        @Option(help: "atelier, or of a concept learnt by LoRA peft, diffusers or kohya.") var format = "atelier"
        @OptionGroup var overwriting: Overwriting

        func run() async throws {
            let settings = try server.settings(needing: ["postgresURL", "stateDirectory"])
            let concept = try await reporting { try await choice.versions(in: try server.store())[0] }
            guard let digest = concept["adapter_sha256"]?.string.flatMap(SHA256Digest.init) else {
                throw ExitStatus.notFound
            }
            let other = try AdapterFormat.named(format)
            let path = out ?? choice.name + (other == .peft ? "-peft" : ".safetensors")
            try converting { try overwriting.check(path, other) }
            let plain = other == nil ? path : NSTemporaryDirectory() + "atelier-\(UUID().uuidString).safetensors"
            try writing(to: plain) {
                try ArtifactDirectory(existing: settings.artifactsDirectory).export(digest, to: plain)
            }
            var written = [path]
            if let other {
                defer { unlink(plain) }
                let model = concept["model"]?.string
                let form = model.flatMap { ModelFolder.networkForm(in: "\(settings.modelsDirectory)/\($0)") }
                let name = "\(choice.name)@\(concept["version"]?.text ?? "")"
                written = try converting { try Self.convert(plain, named: name, to: other, path, form) }
            }
            try print(server.json ? Self.told(path, written).text : printable(path))
        }

        /// Where it is, with the digest of the file, or of each file in PEFT's folder by its place there.
        private static func told(_ path: String, _ files: [String]) throws -> JSONValue {
            let digests = try converting {
                try files.map { ($0, JSONValue.string(try SHA256Digest.ofFile($0).description)) }
            }
            if let alone = digests.first(where: { $0.0 == path }) {
                return ["path": .string(path), "sha256": alone.1]
            }
            let places = digests.map { (String($0.0.dropFirst(path.count + 1)), $0.1) }
            return ["path": .string(path), "files": .object(Dictionary(uniqueKeysWithValues: places))]
        }

        /// Writes it in another form; what is wrong with it is said of the concept, not of a file that is gone.
        private static func convert(
            _ plain: String, named name: String, to format: AdapterFormat, _ path: String, _ form: NetworkForm?
        ) throws -> [String] {
            do { return try AdapterWriter.convert(plain, to: format, path, form: form) } catch let error
                as CheckpointError
            {
                guard error.path == plain else { throw error }
                throw CheckpointError(path: name, problem: error.problem, errorNumber: error.errorNumber)
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Erase what was learnt of a concept, or of one version of it.",
            discussion:
                """
                Without --version all versions go. With each go its adapter, the pictures its job drew, scores and \
                curves; the job stays, with the pictures it was sent, and can be run again. Concepts that one job \
                learnt have one adapter, and go together. With --references the job and those pictures go too, unless \
                another job or concept of the tenant needs them. From the tables at once, from the disk within \
                minutes. Pictures that other jobs drew of it are those jobs' own. Shows what it will touch and asks; \
                --yes for scripts.
                """
        )
        @OptionGroup var server: ServerOptions
        @OptionGroup var choice: Choice
        @OptionGroup var consent: Consent
        @Flag(help: "Also the jobs that learnt it, with the pictures it was learnt from.") var references = false

        func run() async throws {
            try await reporting {
                let store = try server.store()
                let versions = try await choice.versions(in: store)
                let tenant = versions[0]["tenant"]?.string ?? ""
                let numbers = versions.compactMap { $0["version"]?.text }.joined(separator: ", ")
                let companions = try await companions(of: versions, tenant, in: store)
                let what =
                    "\(choice.name) of \(printable(tenant)), version\(versions.count == 1 ? "" : "s") \(numbers)"
                    + (references ? ", with its references" : "") + Self.words(for: companions)
                guard !consent.dryRun else {
                    return print(server.json ? JSONValue.array(versions + companions).text : "would delete \(what)")
                }
                try consent.confirm("delete \(what)")
                let count = try await store.deleteConcept(
                    choice.name, tenant: tenant, version: choice.version, withReferences: references)
                print(server.json ? JSONValue.object(["deleted": .integer(count)]).text : "deleted \(what)")
            }
        }

        /// What goes with them: one adapter knows all that a job learnt.
        private func companions(
            of versions: [JSONValue], _ tenant: String, in store: Store
        ) async throws -> [JSONValue] {
            let jobs = Set(versions.compactMap { $0["job"]?.string })
            return try await store.concepts(tenant: tenant).filter { concept in
                concept["name"]?.string != choice.name && concept["job"]?.string.map(jobs.contains) ?? false
            }
        }

        private static func words(for companions: [JSONValue]) -> String {
            guard !companions.isEmpty else { return "" }
            let names = companions.map { "\($0["name"]?.string ?? "")@\($0["version"]?.text ?? "")" }
            return ", and with it \(names.joined(separator: ", ")), which the same job learnt"
        }
    }
}
