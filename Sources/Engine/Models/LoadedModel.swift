import Backbones
import Catalogue
import Foundation
import Hashing
import Images
import Jobs
import Personalization
import Tensors

/// The backbone an order names, with the digest adapters are held against.
package struct LoadedModel {
    /// Frozen: nothing of it learns unless a method says so.
    package private(set) var backbone: any PaintingBackbone
    /// What the model says of itself.
    package let description: ModelDescription
    /// Of the transformer's weights.
    package let digest: String

    /// - Throws: `JobFailure` where the model is not installed or damaged.
    /// - Parameter size: of the pictures it is to draw, in the shape from which they are then cut; its usual one unless
    ///   given.
    package init(_ name: String, in models: String, size: ModelDescription.Size? = nil) throws {
        try self.init(directory: "\(models)/\(name)", size: size)
    }

    /// The same of a model that lies anywhere.
    /// - Throws: `JobFailure` where there is no model, or a damaged one, or one that draws no pictures of that size.
    package init(directory: String, size: ModelDescription.Size? = nil) throws {
        guard ModelFolder.isModel(directory) else {
            throw JobFailure(
                code: "model.missing", consequence: .fatal,
                message: "there is no model in \(directory); `atelierctl models list` names those installed")
        }
        do {
            // A model that is being made has no description yet.
            let description = try ModelFolder.written(directory) ?? ModelFolder.derived(directory)
            let shape = try size.map { try description.drawnShape(of: $0) }
            backbone = try LoadedModel.backbone(
                directory: directory, family: description.family,
                size: shape == description.pictures.first ? nil : shape)
            self.description = description
            digest = try LoadedModel.digest(directory: directory)
        } catch let failure as JobFailure {
            throw failure
        } catch {
            throw JobFailure(code: "model.damaged", consequence: .fatal, message: "\(error)")
        }
    }

    /// What `digest` of the model in a directory is, without reading more than its transformer's files.
    package static func digest(directory: String) throws -> String {
        try ModelFolder.transformerDigest(in: directory)
    }

    /// The same model where pictures have another of its shapes, if it is a Chameleon: nothing is read again.
    func drawing(in shape: ModelDescription.Size) -> LoadedModel {
        guard let model = backbone as? ChameleonModel else { return self }
        var other = self
        other.backbone = model.drawing(model.configuration.grid(height: shape.height, width: shape.width))
        return other
    }

    /// As its configuration has it, which concepts keep; jobs call it as its description does.
    package var name: String { backbone.name }

    /// How prompts for it speak of styles.
    package var styleWording: StyleWording {
        let paper = StyleWording.paper
        return StyleWording(
            template: backbone.styledPrompt ?? paper.template, noun: backbone.styleNoun ?? paper.noun)
    }

    /// Whether matrices of its network stay as their file has them, in bfloat16 or in eight bits.
    var holdsHalves: Bool { backbone.transformerWeights.parameters.contains { $0.mapped != nil } }

    /// Pixels on a side of its pictures.
    package var pictureSize: Int { backbone.pictureSize }

    /// What is left of pictures of the model's size once its tokenizer has been through them, a batch at a time.
    package func reconstructed(_ pictures: [Picture]) -> [Picture] {
        pictures.indices.parts(of: 25).flatMap { backbone.reconstruct(Array(pictures[$0])) }
    }
}

extension ModelDescription {
    /// - Throws: `JobFailure` for a size that the model does not draw.
    fileprivate func drawnShape(of size: Size) throws -> Size {
        if let shape = shape(of: size) { return shape }
        throw JobFailure(
            code: "input.size", consequence: .rejected, message: "\(name) draws no pictures of \(size)",
            problems: [Problem("/size", found: size.text, allowed: sizesInWords)])
    }
}

extension ScaleSchedule {
    private struct Unscheduled: Error, CustomStringConvertible {
        let size: ModelDescription.Size
        var description: String { "Infinity has no scales for pictures of \(size)" }
    }

    /// The scales of Infinity's pictures of a size, by the pixels of a token; and the largest of their ratio, by which
    /// positions are measured.
    fileprivate static func drawing(
        _ size: ModelDescription.Size
    ) -> (_ patch: Int) throws -> (schedule: ScaleSchedule, reference: Side) {
        { patch in
            guard let found = InfinitySchedules.sides(endingWith: (size.height / patch, size.width / patch)) else {
                throw Unscheduled(size: size)
            }
            return (
                ScaleSchedule(found.sides.map { Side(height: $0.height, width: $0.width) }),
                Side(height: found.largest.height, width: found.largest.width)
            )
        }
    }
}

extension LoadedModel {
    private struct DrawsNothing: Error, CustomStringConvertible {
        let directory: String
        let family: ModelFamily
        var description: String { "\(directory) is a \(family.rawValue), which draws nothing" }
    }

    /// Reads the model; nothing of it learns.
    /// - Parameter size: a shape it draws beside its usual one.
    static func backbone(
        directory: String, family: ModelFamily, size: ModelDescription.Size? = nil
    ) throws -> any PaintingBackbone {
        let model = try read(directory: directory, family: family, size: size)
        model.freeze()
        return model
    }

    private static func read(
        directory: String, family: ModelFamily, size: ModelDescription.Size?
    ) throws -> any PaintingBackbone {
        let sides = size.map { (height: $0.height, width: $0.width) }
        switch family {
        case .infinity: return try InfinityModel(directory: directory, drawing: size.map(ScaleSchedule.drawing))
        case .chameleon: return try ChameleonModel(directory: directory, size: sides)
        case .llamagen: return try LlamaGenModel(directory: directory)
        case .diffusion:
            let model: any TunableDiffusion & PaintingBackbone =
                ModelFolder.isPipeline(directory)
                ? try DiffusionPipeline(directory: directory) : try DiffusionModel(directory: directory)
            model.drawnSize = sides
            try model.verifySize()
            return model
        case .clip, .dino, .classifier, .lpips: throw DrawsNothing(directory: directory, family: family)
        }
    }

    /// What a model's computations take, by its configuration alone.
    /// - Parameter size: a shape of pictures beside its usual one.
    /// - Throws: what is wrong with the configuration.
    static func work(
        directory: String, family: ModelFamily, size: ModelDescription.Size? = nil
    ) throws -> any BackboneWork {
        let sides = size.map { (height: $0.height, width: $0.width) }
        switch family {
        case .infinity:
            return try InfinityModel.Configuration(directory: directory, drawing: size.map(ScaleSchedule.drawing))
        case .chameleon: return try ChameleonModel.Configuration(directory: directory, size: sides)
        case .llamagen: return try LlamaGenModel.Configuration(directory: directory)
        case .diffusion:
            return ModelFolder.isPipeline(directory)
                ? try DiffusionWork(pipeline: directory, size: sides)
                : try DiffusionModel.Configuration(directory: directory).work(
                    height: size?.height, width: size?.width)
        case .clip, .dino, .classifier, .lpips: throw DrawsNothing(directory: directory, family: family)
        }
    }
}
