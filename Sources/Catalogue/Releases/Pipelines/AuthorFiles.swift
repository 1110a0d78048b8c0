import Checkpoints
import Foundation

/// A diffusion model's components in files of its authors: all in one, or each in its own.
struct AuthorFiles {
    /// A component, and the file it is in.
    struct Part {
        let component: AuthorComponent
        let piece: ReleasePiece
    }

    private let parts: [Part]

    init(_ scan: ReleaseScan) {
        // T5 is known as a part of other releases too.
        parts = (scan.pieces(.authorFile) + scan.pieces(.textEncoder)).flatMap { piece in
            AuthorComponent.all(in: piece.checkpoint).map { Part(component: $0, piece: piece) }
        }
    }

    /// What is not built of them.
    var problems: [String] {
        guard let network, network.component.isOfOtherNoise else { return [] }
        return ["\(network.piece.path): it is marked as a model of EDM's noise, which is not built"]
    }

    /// The network, where there is one.
    var network: Part? { first(isNetwork) }
    /// The files in which networks are.
    var networkPaths: [String] { parts.filter(isNetwork).map(\.piece.path) }
    private func isNetwork(_ part: Part) -> Bool { [.unet, .mmdit, .flux].contains(part.component.kind) }
    var autoencoder: Part? { first { $0.component.kind == .autoencoder } }
    /// CLIP ViT-L's text tower, and OpenCLIP ViT-bigG's.
    var smallTower: Part? { first { $0.isTower && !$0.isLargeTower } }
    var largeTower: Part? { first { $0.isTower && $0.isLargeTower } }
    var t5: Part? { first { $0.component.kind == .t5 } }

    /// A file of the component alone was meant for it, whatever a file of several has.
    private func first(_ fits: (Part) -> Bool) -> Part? {
        let fitting = parts.filter(fits)
        return fitting.first { $0.component.prefix.isEmpty } ?? fitting.first
    }
}

extension AuthorFiles.Part {
    fileprivate var isTower: Bool { component.kind == .textTower || component.kind == .openTextTower }

    /// By the name in the file, the file's name, or the width: 768 of ViT-L, 1280 of bigG.
    fileprivate var isLargeTower: Bool {
        if component.kind == .openTextTower || component.prefix.contains("clip_g") { return true }
        if !component.prefix.isEmpty { return false }
        let name = piece.name.lowercased()
        if name.contains("clip_g") || name.contains("text_encoder_2") { return true }
        return component.shape("text_model.embeddings.token_embedding.weight")?.last ?? 0 >= 1024
    }

    /// Width of a text tower's pooled texts.
    var pooledWidth: Int? {
        component.shape("text_projection.weight")?.first ?? component.shape("text_projection")?.last
    }

    /// The component's weights under the name of diffusers' folder.
    func part(_ stem: String) -> RecognizedRelease.Part {
        let component = component
        // What stands in transformers' order under transformers' names can stay where it is.
        guard component.prefix.isEmpty, component.kind == .t5 || component.kind == .textTower else {
            return .init(
                stem: stem, piece: piece, rearranged: { () throws(CheckpointError) in try component.tensors() })
        }
        let isT5 = component.kind == .t5
        return .init(
            stem: stem, piece: piece,
            isTaken: { isT5 ? T5Release.isEncoders($0) : !$0.hasSuffix("position_ids") })
    }
}
