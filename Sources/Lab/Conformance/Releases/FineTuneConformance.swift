import Autograd
import Backbones
import Catalogue
import Checkpoints
import Foundation
import Jobs
import Layers
import Tensors

/// Infinity's tensors in other containers, and ARBooth's fine-tune, which learns rows behind the text encoder.
struct FineTuneConformance {
    private let release: ReleaseCase
    /// The release these are fine-tunes of.
    private let base: String
    private let files: [String]

    init(_ release: ReleaseCase) throws {
        self.release = release
        base = (release.path(try release.text("vae")) as NSString).deletingLastPathComponent
        files = Checkpoint.candidates(in: release.folder).filter { !$0.hasSuffix("expected.safetensors") }
    }

    func run() throws {
        try containers()
        try averaged()
        try fineTune()
    }

    /// Every tensor of every container is the base's, bit for bit.
    private func containers() throws {
        let transformer = try Checkpoint.tensors(base(.infinityTransformer).path)
        let vae = try named(Checkpoint.tensors(base(.bitwiseTokenizer).path))
        for file in files {
            let checkpoint = try Checkpoint.open(file)
            let sections = [checkpoint.report.section].compactMap { $0 } + checkpoint.report.otherSections
            for section in sections.isEmpty ? [nil] : sections.map(Optional.some) {
                if let section, section.contains("ema") || section.contains("opt") { continue }
                let found = try named(Checkpoint.tensors(file, section: section))
                let wanted = found.keys.contains { $0.hasPrefix("decoder.") } ? vae : transformer
                // What is there beside the base's: learned rows, buffers of old, masks.
                let shared = found.filter { wanted[$0.key] != nil }
                let differing = shared.filter { $0.value.values != wanted[$0.key]!.values }.keys.sorted()
                let name = (file as NSString).lastPathComponent + (section.map { "/\($0)" } ?? "")
                release.compareSaid("\(name) as the base", differing, [])
                release.compareSaid("\(name) holds tensors of the base", [shared.isEmpty], [false])
            }
        }
    }

    private func base(_ kind: ReleasePiece.Kind) throws -> ReleasePiece {
        guard let piece = ReleaseScan([base]).pieces(kind).first else {
            throw release.problem("\(base) holds no \(kind.rawValue)")
        }
        return piece
    }

    /// Without the part of the name that some of Infinity's VAEs have before a layer's weights.
    private func named(_ tensors: [String: Tensor]) -> [String: Tensor] {
        Dictionary(
            tensors.map { name, tensor in
                (name.replacing(/(?:\.conv|\.norm)+\.(weight|bias)$/) { ".\($0.1)" }, tensor)
            }
        ) { first, _ in first }
    }

    /// A training's file is opened at its averaged weights: those of them that are recorded.
    private func averaged() throws {
        let names = release.recorded.names.filter { $0.hasPrefix("ema.") }
        guard !names.isEmpty else { return }
        let training = try files.map { try Checkpoint.open($0) }.first { $0.report.section?.contains("ema") == true }
        guard let training else { throw release.problem("no file holds averaged weights") }
        for name in names {
            try release.compare(name, try training.tensor(String(name.dropFirst("ema.".count))).tensor())
        }
    }

    private func fineTune() throws {
        let tuned = try files.first { try Checkpoint.open($0).contains("special_token") }
        let vae = files.first { ReleaseScan([$0]).pieces(.bitwiseTokenizer).count == 1 }
        guard let tuned, let vae else { throw release.problem("no file holds special_token, or none a VAE") }
        let text = release.path(try release.text("text_encoder"))
        let model = try release.asModel([tuned, vae, text], InfinityReleaseConformance.wishes(release)) { folder, _ in
            try InfinityModel(directory: folder)
        }
        model.freeze()
        let rows = try Checkpoint.open(tuned).tensor("special_token").tensor()
        try release.compare("special_token", rows)
        try drawn(InfinityReleaseConformance(release, model: model), rows: rows)
    }

    private func drawn(_ conformance: InfinityReleaseConformance, rows: Tensor) throws {
        let model = conformance.model
        let placeholder = try release.text("placeholder")
        let tokenizer = model.textTokenizer.adding(placeholders: [placeholder])
        let id = tokenizer.identifier(of: placeholder)!
        try release.compareExactly("placeholder_id", [Int(id)])
        let prompts = try release.texts("prompts")
        func features(_ prompts: [String]) -> TextFeatures {
            model.encode(prompts, tokenizer: tokenizer, splicing: [id: Variable(rows)])
        }
        for (index, prompt) in prompts.enumerated() {
            let ids = model.ids([prompt], tokenizer: tokenizer)[0]
            try release.compareExactly("text.ids.\(index)", ids.map(Int.init))
            try release.compare("text.features.\(index)", features([prompt]).values.value)
        }
        try conformance.teacherForced(features(prompts))
        _ = try conformance.greedy(features([prompts[0]]))
    }
}
