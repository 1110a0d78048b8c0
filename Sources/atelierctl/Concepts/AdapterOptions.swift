import ArgumentParser
import Catalogue
import Checkpoints
import Foundation
import Jobs

/// Adapters of concepts that nobody has to look up.
struct AdapterOptions: ParsableArguments {
    @Option(help: "A concept's adapter: NAME=FILE; may be repeated.") var adapter: [String] = []

    /// Before anything is read.
    func validate() throws { _ = try paths() }

    /// The files' absolute paths, by the concepts' names.
    /// - Throws: `ValidationError` of all that is no name and a file, and of every name that was given before.
    func paths() throws -> [String: String] {
        try NamedPaths(
            option: "--adapter", form: "NAME=FILE, the name as in prompts: rex, or rex@2", what: "file",
            isName: ConceptMention.isReference
        ).paths(in: adapter)
    }

    /// Says which of them the job has no use for: most likely a prompt forgot the brackets.
    func tellIdle(in spec: JobSpec) throws {
        for name in Set(try paths().keys).subtracting(spec.mentions.map(\.key)).sorted() {
            Terminal.note(
                "warning: --adapter \(printable(name)): the job does not use it; prompts do by <\(printable(name))>")
        }
    }

    /// What an engine counts them by.
    /// - Throws: `ValidationError`, also for a file that is no adapter.
    func sizes() throws -> [String: InspectionOrder.Adapter] {
        struct Description: Decodable { let method: String }
        var sizes: [String: InspectionOrder.Adapter] = [:]
        for (name, path) in try paths() {
            let file: Safetensors
            do { file = try Safetensors(path: path) } catch { throw ValidationError("--adapter \(name): \(error)") }
            guard let text = file.metadata["description"],
                let told = try? JSONDecoder().decode(Description.self, from: Data(text.utf8))
            else {
                throw ValidationError(
                    """
                    --adapter \(name): \(path) is not an Atelier adapter; of PEFT's, diffusers' and kohya's atelierctl \
                    concepts import makes one
                    """)
            }
            sizes[name] = InspectionOrder.Adapter(
                method: told.method, bytes: file.size, rows: file.entries[ARBoothImport.rows]?.shape.first)
        }
        return sizes
    }
}
