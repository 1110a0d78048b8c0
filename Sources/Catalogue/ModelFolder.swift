import Checkpoints
import Foundation
import Hashing
import Jobs

/// A model as it lies on the disk: what its files say of themselves, without a tensor being read.
package struct ModelFolder: Sendable {
    /// One file of weights.
    package struct Weights: Sendable {
        /// Of the file, below the model's folder.
        package let name: String
        /// Of the file; 0 where it is damaged.
        package let bytes: Int
        /// How many numbers are in it; 0 where it is damaged.
        package let parameters: Int
        /// What is wrong with it, or nil.
        package let problem: String?
    }

    /// The folder's, which jobs call the model by.
    package let name: String
    /// Where it lies.
    package let folder: String
    /// Every file of weights, in order of their names.
    package let weights: [Weights]
    /// What it says of itself; nil where that cannot be known.
    package let description: ModelDescription?
    /// What is wrong with the model beside its weights.
    private let faults: [String]

    /// Everything that is wrong with it, each with the file it is in.
    package var problems: [String] { faults + unsaidDamage(beside: faults) }

    /// What is wrong with its files of weights and was not said yet, as of a link that leads nowhere.
    func unsaidDamage(beside said: [String]) -> [String] { damage.filter { !said.contains($0) } }

    /// What is wrong with its files of weights.
    var damage: [String] {
        weights.isEmpty
            ? ["has no weights: copy its files of weights here"]
            : weights.compactMap { file in file.problem.map { "\(file.name): \($0)" } }
    }

    /// Whether a folder is a model's.
    package static func isModel(_ folder: String) -> Bool {
        [ModelLayout.configuration, ModelDescription.fileName].contains { access("\(folder)/\($0)", F_OK) == 0 }
    }

    /// Reads the folder of one model, which is called like it.
    package init(_ folder: String) {
        self.folder = folder
        name = (folder as NSString).lastPathComponent
        weights = Self.weightFiles(in: folder).map { Self.weights($0, in: folder) }
        var faults: [String] = []
        do {
            let found = try Self.description(of: folder)
            description = found
            faults += ModelLayout.of(found.family, in: folder).missing(in: folder)
        } catch {
            description = nil
            faults.append("\(error)")
        }
        self.faults = faults
    }

    /// What is wrong with a description.
    package struct Undescribed: Error, CustomStringConvertible {
        /// The file and what is wrong with it, or what is missing.
        package let description: String
    }

    /// What a folder's `model.json` says; nil where there is none.
    /// - Throws: ``Undescribed``.
    package static func written(_ folder: String) throws -> ModelDescription? {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(ModelDescription.fileName)") else {
            return nil
        }
        do { return limited(try JSONDecoder().decode(ModelDescription.self, from: data), in: folder) } catch {
            throw Undescribed(description: "\(ModelDescription.fileName): \(reason(error))")
        }
    }

    private static func description(of folder: String) throws -> ModelDescription {
        let name = (folder as NSString).lastPathComponent
        guard let found = try written(folder) else {
            throw Undescribed(
                description: "has no \(ModelDescription.fileName): atelierctl models seal \(name) writes it")
        }
        guard found.name == name else {
            throw Undescribed(
                description: """
                    \(ModelDescription.fileName): is of \(found.name); the folder must be called like the model, or \
                    atelierctl models seal \(name) after its name is changed there
                    """)
        }
        return found
    }

    /// What a model without a description would say of itself by its `config.json`; its digest is left empty.
    /// - Throws: ``Undescribed`` where that is no family's.
    package static func derived(_ folder: String) throws -> ModelDescription {
        let path = "\(folder)/\(ModelLayout.configuration)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Undescribed(description: "\(path): cannot be read; a model's folder holds it")
        }
        guard let configuration = try? JSONValue(json: data) else {
            throw Undescribed(description: "\(ModelLayout.configuration): is not JSON")
        }
        guard let layout = ModelLayout.of(configuration) else {
            let families = ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
            throw Undescribed(
                description: """
                    \(ModelLayout.configuration): describes no model of a family that is known (\(families)), and \
                    there is no \(ModelDescription.fileName)
                    """)
        }
        var description = layout.describe((folder as NSString).lastPathComponent, configuration)
        description.training = configuration["training"].flatMap {
            try? JSONDecoder().decode([String: [String: JSONValue]].self, from: $0.line)
        }
        return limited(description, in: folder)
    }

    /// With what a FLUX.1's network says: one that was added before schnell was told from dev says more tokens of a
    /// prompt than it reads, and not that it is told its guidance.
    private static func limited(_ description: ModelDescription, in folder: String) -> ModelDescription {
        guard let isTold = PipelineRelease.isToldGuidance(in: folder) else { return description }
        let most = PromptLength.flux(isGuided: isTold)
        var limited = description
        limited.limits.promptTokens = min(description.limits.promptTokens ?? most, most)
        limited.limits.isToldGuidance = isTold ? true : nil
        return limited
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "lacks \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "is not JSON"
                : context.codingPath.map(\.stringValue).joined(separator: ".") + ": "
                    + context.debugDescription
        default: "\(error)"
        }
    }

    static func weightFiles(in folder: String) -> [String] {
        (try? FolderListing.names(in: folder, where: ModelLayout.isWeights)) ?? []
    }

    /// The digest of the weights as a description has it. Reads every byte of them.
    package static func weightsDigest(in folder: String) throws -> String {
        let lines = try weightFiles(in: folder).map { "\(try SHA256Digest.ofFile("\(folder)/\($0)"))  \($0)\n" }
        return SHA256Digest.of(Data(lines.joined().utf8)).description
    }

    private static func weights(_ name: String, in folder: String) -> Weights {
        do {
            let report = try Checkpoint.open(folder + "/" + name).report
            return Weights(name: name, bytes: report.bytes, parameters: report.parameters, problem: nil)
        } catch {
            return Weights(name: name, bytes: 0, parameters: 0, problem: error.problem)
        }
    }
}
