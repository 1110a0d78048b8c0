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

extension PersonalizeSpec {
    /// What its sender should know, though it can be done.
    /// - Parameters:
    ///   - model: what learns, where it is known.
    ///   - supervisor: what teaches it, where that is known.
    fileprivate func warnings(on model: ModelDescription?, by supervisor: ModelDescription?) -> [String] {
        idleOptionWarnings + slowTeachingWarnings(by: supervisor)
            + idlePreviewWarnings(usual: model?.training?[method.rawValue] ?? [:])
            + idlePictureWarnings + sharedPictureWarnings + articleWarnings + nounlessWarnings + unnamedWarnings
    }

    /// What is said of a rate that is another rule's: Prodigy multiplies the one it finds by it. diffusers warns of the
    /// same ones.
    private func slowTeachingWarnings(by supervisor: ModelDescription?) -> [String] {
        guard self.supervisor != nil, supervisorRule(of: supervisor) == "prodigy",
            let rate = options["supervisor_learning_rate"]?.double, rate <= 0.1
        else { return [] }
        return [
            """
            /options/supervisor_learning_rate: next to nothing is learnt at \(rate) of the rate that Prodigy finds \
            itself; 1 is usual, and rates like this one are those of supervisor_optimizer adamw
            """
        ]
    }

    /// What is said of previews that no step comes to: at the last one samples are drawn.
    private func idlePreviewWarnings(usual: [String: JSONValue]) -> [String] {
        guard let every = previewEvery,
            let steps = table.completed(.object(options), usual: usual)["iterations"]?.integer, every >= steps
        else { return [] }
        return ["/preview_every: no preview comes of it: the training has \(counted(steps, "step"))"]
    }

    /// What is said of pictures that no concept is learnt from.
    private var idlePictureWarnings: [String] {
        let places = Set(concepts.flatMap { self.places(of: $0) })
        return images.indices.filter { !places.contains($0) }.map {
            "/images/\($0): no concept names it among its images: nothing is learnt from it"
        }
    }

    /// What is said of pictures that several concepts are learnt from: places are easily miscounted.
    private var sharedPictureWarnings: [String] {
        let learnt = concepts.filter { proxies(of: $0) == nil }
        return images.indices.compactMap { place in
            let names = learnt.filter { $0.images?.contains(place) == true }.map { "<\($0.name)>" }
            guard names.count > 1 else { return nil }
            return """
                /images/\(place): \(names.joined(separator: " and ")) name it among their images: each is learnt as \
                what it shows
                """
        }
    }

    /// What is said of options that nothing acts on.
    private var idleOptionWarnings: [String] {
        guard !idleOptions.isEmpty else { return [] }
        let names = idleOptions.joined(separator: ", ")
        return ["/options: nothing acts on \(names): proxies of another job are learnt from as they were drawn"]
    }

    /// What is said of nouns that bring an article, which stands before the concept's name already.
    private var articleWarnings: [String] {
        concepts.enumerated().compactMap { index, concept in
            let words = (concept.className ?? "").split(separator: " ")
            guard concept.role == .subject, words.count > 1, ["a", "an", "the"].contains(words[0].lowercased()) else {
                return nil
            }
            let place = concept.isListed ? "/concepts/\(index)" : "/concept"
            let noun = words.dropFirst().joined(separator: " ")
            return "\(place)/class: “\(noun)” alone is meant: it is learnt as a <\(concept.name)> \(words[0]) \(noun)"
        }
    }

    /// What is said of a prompt with the noun of a style that has none.
    private var nounlessWarnings: [String] {
        guard concept.className == nil, options["prompt"]?.string?.contains("{class}") == true else { return [] }
        return ["/options/prompt: nothing stands for {class} in it: <\(concept.name)> has no class"]
    }

    /// What is said of a training none of whose prompts names what it learns: most likely the brackets were forgotten.
    private var unnamedWarnings: [String] {
        guard !prompts.isEmpty, prompts.allSatisfy({ ConceptMention.names(in: $0).isEmpty }) else { return [] }
        let names = concepts.map { "<\($0.name)>" }.joined(separator: " or ")
        return ["/prompts: none names \(names): the sample pictures will not show what was learnt"]
    }
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

/// Lines and runs of bytes from a file, in turns.
private final class InputReader {
    private let file: Int32
    private var pending = Data()

    init(_ file: Int32) { self.file = file }

    /// The next line without its end; nil where the file ends.
    func line() throws -> Data? {
        var searched = 0
        while true {
            if let end = pending.dropFirst(searched).firstIndex(of: 0x0A) {
                defer { pending = Data(pending[(end + 1)...]) }
                return Data(pending[..<end])
            }
            searched = pending.count
            guard try fill() else { return nil }
        }
    }

    /// Exactly so many bytes.
    func bytes(_ count: Int) throws -> Data {
        while pending.count < count {
            guard try fill() else { throw CocoaError(.fileReadCorruptFile) }
        }
        defer { pending = Data(pending.dropFirst(count)) }
        return Data(pending.prefix(count))
    }

    private func fill() throws -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
            pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return count > 0
        }
    }
}
