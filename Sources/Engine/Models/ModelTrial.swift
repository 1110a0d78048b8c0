import Backbones
import Catalogue
import Checkpoints
import Evaluation
import Foundation
import Jobs
import Layers

/// Reads a model as a job reads it, and does nothing with it: every weight that its architecture has must be there, in
/// its shape, and made of numbers, and its texts' tokenizer must be one. Who brings in a model learns of it then, and
/// not from the first job.
package struct ModelTrial {
    private let folder: String
    private let freeBytes: Int?

    /// - Parameters:
    ///   - folder: the model's; it need not be sealed.
    ///   - freeBytes: memory that may be taken; what the host says unless given.
    package init(_ folder: String, freeBytes: Int? = ModelTrial.hostFreeBytes) {
        (self.folder, self.freeBytes) = (folder, freeBytes)
    }

    /// Reads it, where there is the memory to.
    package func report() -> ModelTrialReport {
        do {
            let needed = try neededBytes()
            if let freeBytes, needed > freeBytes {
                let most = (needed + (1 << 20) - 1) >> 20
                return ModelTrialReport(
                    problems: [],
                    untried: "its weights take \(most) MiB of memory here, and \(freeBytes >> 20) MiB are free")
            }
            try read()
            return ModelTrialReport(problems: [])
        } catch let error as WeightsError {
            return ModelTrialReport(problems: error.problems)
        } catch let failure as JobFailure {
            return ModelTrialReport(problems: [failure.message])
        } catch {
            return ModelTrialReport(problems: ["\(error)"])
        }
    }

    private func read() throws {
        let description = try ModelFolder.written(folder) ?? ModelFolder.derived(folder)
        switch description.family {
        case .infinity, .chameleon, .llamagen, .diffusion:
            _ = try LoadedModel.backbone(directory: folder, family: description.family)
        case .clip: _ = try CLIPEncoder(directory: folder)
        case .dino: _ = try DINOEncoder(directory: folder)
        case .lpips: _ = try LPIPS(files: MetricEncoders.lpipsFiles(in: folder))
        case .classifier: _ = try AttributeClassifier(directory: folder)
        }
    }

    /// Memory that the weights take once they are read: matrices in bfloat16 or eight bits stay in their file, and
    /// everything else becomes single precision.
    private func neededBytes() throws -> Int {
        try ModelFolder(folder).weights.reduce(0) { sum, file in
            let checkpoint = try Checkpoint.open("\(folder)/\(file.name)")
            return try checkpoint.names.reduce(sum) { sum, name in
                let tensor = try checkpoint.tensor(name)
                return sum.addingReportingOverflow(tensor.isMapped ? 0 : tensor.count &* 4).partialValue
            }
        }
    }

    /// Memory that programs can take on this host without any being put aside; nil where it is not told.
    package static var hostFreeBytes: Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
}
