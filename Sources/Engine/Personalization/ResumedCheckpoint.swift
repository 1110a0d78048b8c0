import Checkpoints
import Foundation
import Hashing
import Jobs
import Layers

/// What a training's checkpoint says of the job it is of, beside its tensors: a training goes on to the bytes of an
/// undisturbed one only where all of this is the same.
struct TrainingIdentity {
    private static let prefix = "job."
    /// By what it is of: the method, the model, the concepts, the options, the seed, the pictures, others' proxies.
    let facts: [String: String]

    /// - Parameter digest: of the model's weights.
    init(_ spec: PersonalizeSpec, digest: String) {
        let concepts = spec.concepts.map { "\($0.name) \($0.role.rawValue) \($0.className ?? "")" }
        let places = spec.concepts.map { JSONValue.array(spec.places(of: $0).map(JSONValue.integer)) }
        let pictures = [JobSpec.personalize(spec).json["images"] ?? .null] + places
        let proxies = spec.concepts.map { spec.proxies(of: $0)?.job.uuidString ?? "" }
        func short(_ value: JSONValue) -> String { SHA256Digest.of(value.line).description }
        facts = [
            "method": spec.method.rawValue, "model": digest, "concepts": concepts.joined(separator: ", "),
            "options": short(.object(spec.options)), "seed": String(spec.seed ?? 0),
            "pictures": short(.array(pictures)), "continue_from": spec.continueFrom ?? "",
            "proxies": proxies.joined(separator: " "),
        ]
    }

    /// As a file's metadata has it.
    var metadata: [String: String] {
        Dictionary(uniqueKeysWithValues: facts.map { (Self.prefix + $0.key, $0.value) })
    }

    /// What a checkpoint's metadata says otherwise, sorted; an older one says nothing of it.
    func differences(from metadata: [String: String]) -> [String] {
        facts.filter { key, value in metadata[Self.prefix + key].map { $0 != value } ?? false }.keys.sorted()
    }
}

/// The checkpoint that a training goes on from.
struct ResumedCheckpoint {
    let path: String
    let metadata: [String: String]
    let state: OptimizerState

    /// Reads a checkpoint of this very job.
    /// - Throws: `JobFailure` for a file that is none, or one of another job.
    init(_ path: String, of identity: TrainingIdentity) throws {
        do { (metadata, state) = (try Safetensors(path: path).metadata, try OptimizerState(path: path)) } catch {
            throw Self.unusable(path, "\(error)", .transient)
        }
        self.path = path
        let differences = identity.differences(from: metadata)
        guard differences.isEmpty else {
            let which = differences.joined(separator: ", ")
            throw Self.unusable(path, "it is of another job, which differs in its \(which)", .rejected)
        }
    }

    /// Tells what a job cannot go on from before its model draws anything, which takes a large one hours.
    /// - Throws: `JobFailure` as reading it does.
    static func check(_ path: String?, of identity: TrainingIdentity) throws {
        if let path { _ = try ResumedCheckpoint(path, of: identity) }
    }

    /// Puts the state where it belongs.
    /// - Throws: `JobFailure` where it is of other weights.
    func restore(_ put: (OptimizerState) throws -> Void) throws {
        do { try put(state) } catch { throw Self.unusable(path, "\(error)", .transient) }
    }

    private static func unusable(_ path: String, _ reason: String, _ consequence: Consequence) -> JobFailure {
        JobFailure(
            code: "input.checkpoint", consequence: consequence,
            message: "the checkpoint \(path) cannot be gone on from: \(reason)")
    }
}
