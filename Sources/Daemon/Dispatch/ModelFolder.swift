import Checkpoints
import Foundation
import Hashing
import Jobs

/// A model as it lies on the disk: what its files say of themselves, without a tensor being read.
package struct ModelFolder: Sendable {
    /// One file of weights.
    package struct Weights: Sendable {
        package let name: String
        package let bytes: Int
        /// How many numbers are in it; 0 where it is damaged.
        package let parameters: Int
        /// What is wrong with it, or nil.
        package let problem: String?
    }

    package let name: String
    /// Where it lies.
    package let folder: String
    package let weights: [Weights]
    /// What is wrong with the model beside its weights, or nil.
    package let problem: String?

    /// Whether jobs can name it.
    package var isNamedByJobs: Bool { ModelName(rawValue: name) != nil }
    /// Everything that is wrong with it, each with the file it is in.
    package var problems: [String] {
        (problem.map { [$0] } ?? []) + weights.compactMap { file in file.problem.map { "\(file.name): \($0)" } }
    }

    /// Everything that is wrong when every byte is read: what is wrong anyway, and what is not as `SHA256SUMS` says.
    package func verify() -> [String] {
        do {
            guard let sums = try ChecksumFile(in: folder) else {
                return problems + ["has no \(ChecksumFile.name): atelierctl models seal \(name)"]
            }
            return problems + sums.problems(in: folder)
        } catch { return problems + ["\(ChecksumFile.name): \(error)"] }
    }

    /// The models in a folder, by name.
    package static func all(in directory: String) throws -> [ModelFolder] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            .filter { access("\(directory)/\($0)/config.json", F_OK) == 0 }.map { ModelFolder(name: $0, in: directory) }
    }

    private init(name: String, in directory: String) {
        self.name = name
        folder = "\(directory)/\(name)"
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter {
            $0.hasSuffix(".safetensors")
        }.sorted()
        weights = files.map { [folder] in Self.weights($0, in: folder) }
        if (FileManager.default.contents(atPath: folder + "/config.json").flatMap { try? JSONValue(json: $0) }) == nil {
            problem = "config.json: is not JSON"
        } else {
            problem = files.isEmpty ? "has no weights: copy its .safetensors files here" : nil
        }
    }

    private static func weights(_ name: String, in folder: String) -> Weights {
        do {
            let file = try Safetensors(path: folder + "/" + name)
            return Weights(
                name: name, bytes: file.size, parameters: file.entries.values.reduce(0) { $0 + $1.count },
                problem: nil)
        } catch {
            return Weights(name: name, bytes: 0, parameters: 0, problem: error.problem)
        }
    }
}
