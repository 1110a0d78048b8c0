import Checkpoints
import Foundation
import Jobs

/// Stable Diffusion XL, 3 and 3.5, and FLUX.1: as diffusers lays them out, a folder for each component with its
/// settings and weights; or as their authors ship them, in files of weights alone. Of both, the folder gives what the
/// files lack.
struct PipelineRelease {
    /// The file that names the components.
    static let index = "model_index.json"

    private let folder: String?
    private let authors: AuthorFiles
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    /// Nil where there is neither a folder nor a network.
    init?(_ scan: ReleaseScan, _ wishes: ReleaseWishes) {
        (folder, authors, self.scan, self.wishes) = (scan.pipelines.first, AuthorFiles(scan), scan, wishes)
        if folder == nil, authors.network == nil { return nil }
    }

    /// Folders, and files of networks: of each there must not be several.
    var sources: [[String]] { [scan.pipelines, authors.networkPaths] }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or not built.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        if let folder, let fault = ReleasePiece.settingsProblem(Self.index, in: folder) {
            throw UnrecognizedRelease(problems: [fault])
        }
        guard let kind else {
            let known = PipelineKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnrecognizedRelease(
                problems: ["\(place)/\(Self.index): its network is of a class that is not built; \(known) are"])
        }
        if kind == .sdxl, let encoder = unnamedEncoder {
            throw UnrecognizedRelease(
                problems: [
                    """
                    \(place)/\(Self.index): names no \(encoder); Stable Diffusion XL has two text encoders, and \
                    neither 1 and 2 nor XL's refiner are built
                    """
                ])
        }
        let parts = PipelineParts(kind: kind, folder: folder, authors: authors, scan: scan)
        return try parts.recognized(side: wishes.side)
    }

    private var place: String { folder ?? "." }

    /// A text encoder of Stable Diffusion XL that the folder's pipeline has not; nil where there is none such.
    private var unnamedEncoder: String? {
        guard let folder, let index = ReleasePiece.settings(Self.index, in: folder) else { return nil }
        return ["text_encoder", "text_encoder_2"].first { Self.className(of: $0, in: index) == nil }
    }

    private var kind: PipelineKind? {
        if let folder, let index = ReleasePiece.settings(Self.index, in: folder) {
            let classes = ["unet", "transformer"].compactMap { Self.className(of: $0, in: index) }
            return classes.compactMap(PipelineKind.init).first
        }
        return authors.network.flatMap { PipelineKind($0.component) }
    }

    /// What a `model_index.json` says that a component is; nil where it has none.
    private static func className(of component: String, in index: JSONValue) -> String? {
        index[component]?.array?.last?.string
    }
}

extension PipelineRelease {
    /// Whether the network of the FLUX.1 in a model's folder is told its guidance; nil of every other model.
    static func isToldGuidance(in folder: String) -> Bool? {
        let network = PipelineKind.flux.network
        guard let index = ReleasePiece.settings(Self.index, in: folder),
            className(of: network, in: index) == PipelineKind.flux.rawValue,
            let settings = ReleasePiece.settings("\(network)/config.json", in: folder)
        else { return nil }
        return settings["guidance_embeds"] == .bool(true)
    }
}
