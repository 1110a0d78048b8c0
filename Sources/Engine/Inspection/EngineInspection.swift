import Evaluation
import Foundation
import Jobs

/// Looks into messages before they become jobs: the program behind `atelier-engine inspect`. Strangers' files are
/// decoded here, so that what kills a decoder kills this process and no other.
package struct EngineInspection {
    private let input: InputReader
    private let output: FileHandle
    private let texts: PromptInspection
    private let models: ModelTexts
    private let counting: JobCounting

    /// - Parameter models: the folder of the models.
    package init(models: String, input: Int32 = STDIN_FILENO, output: FileHandle = .standardOutput) {
        self.input = InputReader(input)
        self.output = output
        let texts = ModelTexts(directory: models)
        self.models = texts
        self.texts = PromptInspection()
        counting = JobCounting(models: InstalledSizes(directory: models)) { texts.longest(of: $1, to: $0) }
    }

    /// Answers orders until the input ends.
    /// - Throws: for an order that is none, and where nobody reads the answers.
    package func run() throws {
        try send(InspectionReport(id: 0))
        while let line = try input.line() {
            let order = try InspectionOrder(line: line) { try input.bytes($0) }
            try send(report(on: order))
        }
    }

    private func report(on order: InspectionOrder) -> InspectionReport {
        let model = order.body["model"]?.string.flatMap { models[$0] }
        let method = order.body["method"]?.string.flatMap(PersonalizationMethod.init(rawValue:))
        let pictures = PictureInspection(
            size: model?.description.pictures.first,
            shapes: method.flatMap { model?.description.referenceShapes(of: $0) } ?? [])
        var findings = Findings()
        for picture in order.pictures { pictures.inspect(picture, crop: order.crop(of: picture), &findings) }
        if let model { texts.inspect(order.body, model, order.adapters, &findings) }
        let spec = order.spec
        var counting = counting
        counting.references = findings.sizes
        if case .personalize(let spec)? = spec {
            let supervisor = spec.supervisor.flatMap { models[$0] }
            // A student that is its own supervisor has said it already.
            let said = findings.problems
            let unread = supervisor.map { texts.problems(of: spec, taughtBy: $0) } ?? []
            findings.problems += unread.filter { !said.contains($0) }
            findings.warnings += spec.warnings(on: model?.description, by: supervisor?.description)
            if let model { findings.warnings += unmeasured(by: model.description) }
        }
        if case .generate(let spec)? = spec, let model, model.description.family == .diffusion {
            findings.warnings += spec.idleNegativeWarnings(usual: model.description.sampling["guidance"]?.double)
        }
        let cost = findings.problems.isEmpty ? spec.flatMap { counting.offer(of: $0, with: order.adapters) } : nil
        return InspectionReport(
            id: order.id, problems: findings.problems, warnings: findings.warnings, cost: cost,
            uncounted: findings.problems.isEmpty && cost == nil ? spec.flatMap(counting.fault(of:)) : nil)
    }

    /// What is said before hours of learning of encoders by which its outcome cannot be measured.
    private func unmeasured(by model: ModelDescription) -> [String] {
        do {
            try MetricEncoders.check(directory: models.directory, .init(model.encoders))
            return []
        } catch {
            return ["what is learnt will not be evaluated: \(error); atelierctl models list has what is installed"]
        }
    }

    private func send(_ report: InspectionReport) throws { try output.write(contentsOf: report.line + Data([0x0A])) }
}

/// What is found in a message.
struct Findings {
    var problems: [Problem] = []
    var warnings: [String] = []
    /// Of the reference pictures, or of their parts that count.
    var sizes: [ModelDescription.Size] = []
}

extension InspectionOrder {
    /// The part of a picture that counts: `/images/3/data` has it at `/images/3/crop`.
    fileprivate func crop(of picture: Picture) -> CropArea? {
        let parts = picture.pointer.split(separator: "/")
        guard parts.count == 3, let index = Int(parts[1]), let images = body["images"]?.array,
            images.indices.contains(index)
        else { return nil }
        return images[index]["crop"].flatMap { CropArea($0) }
    }
}
