import Foundation
import Jobs

/// CLIP, DINO and LPIPS as Hugging Face, torch.hub and their authors ship them.
struct EncoderReleases {
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    init(_ scan: ReleaseScan, _ wishes: ReleaseWishes) { (self.scan, self.wishes) = (scan, wishes) }

    /// The first that is there, of the family that is wished; nil where none is.
    /// - Throws: ``UnrecognizedRelease`` with everything that it lacks.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease? {
        func fits(_ family: ModelFamily) -> Bool { wishes.family == nil || wishes.family == family }
        if fits(.clip), let clip = scan.pieces(.clip).first { return try Self.clip(clip) }
        if fits(.dino), let dino = scan.pieces(.dino).first {
            if let mark = Self.secondsMark(dino) {
                throw UnrecognizedRelease(
                    problems: ["\(dino.path): it is DINOv2 by its \(mark), which is not built; DINO is"])
            }
            return dino.checkpoint.contains("pos_embed") ? hub(dino) : try Self.dino(dino)
        }
        return fits(.lpips) ? try lpips() : nil
    }

    /// What DINOv2 has and DINO has not: a scale of every layer, registers.
    private static func secondsMark(_ piece: ReleasePiece) -> String? {
        let marks = [".ls1.gamma", ".layer_scale1.lambda1", "register_tokens"]
        return piece.checkpoint.names.first { name in marks.contains { name.hasSuffix($0) } }
    }

    private static func beside(_ piece: ReleasePiece, _ names: [String]) -> [String: String] {
        let there = names.filter { FileManager.default.fileExists(atPath: "\(piece.folder)/\($0)") }
        return Dictionary(uniqueKeysWithValues: there.map { ($0, "\(piece.folder)/\($0)") })
    }

    private static func clip(_ piece: ReleasePiece) throws(UnrecognizedRelease) -> RecognizedRelease {
        let files = beside(piece, TokenizerFiles.names + ["processor_config.json", "preprocessor_config.json"])
        let readsWords = files["tokenizer.json"] != nil || (files["vocab.json"] != nil && files["merges.txt"] != nil)
        let problems = [
            readsWords ? nil : "\(piece.folder): has neither tokenizer.json nor vocab.json with merges.txt: fetch them",
            ReleasePiece.settingsProblem(in: piece.folder),
        ].compactMap { $0 }
        guard problems.isEmpty, let settings = piece.settings() else { throw UnrecognizedRelease(problems: problems) }
        return RecognizedRelease(
            family: .clip, title: "CLIP", configuration: settings,
            parts: [.init(stem: "model", piece: piece, isTaken: { !$0.hasSuffix("position_ids") })], files: files)
    }

    private static func dino(_ piece: ReleasePiece) throws(UnrecognizedRelease) -> RecognizedRelease {
        guard let settings = piece.settings() else {
            throw UnrecognizedRelease(problems: [ReleasePiece.settingsProblem(in: piece.folder)].compactMap { $0 })
        }
        return RecognizedRelease(
            family: .dino, title: "DINO", configuration: settings, parts: [.init(stem: "model", piece: piece)],
            files: beside(piece, ["processor_config.json", "preprocessor_config.json"]))
    }

    /// torch.hub's file has no settings: sizes come from shapes, the rest is the architecture's.
    private func hub(_ piece: ReleasePiece) -> RecognizedRelease {
        let width = piece.shape("cls_token")?.last ?? 0
        let patch = piece.shape("patch_embed.proj.weight")?.last ?? 16
        let patches = (piece.shape("pos_embed")?.side(1) ?? 1) - 1
        let side = Int(Double(patches).squareRoot().rounded())
        return RecognizedRelease(
            family: .dino, title: "DINO",
            configuration: [
                "hidden_size": .integer(width),
                "intermediate_size": .integer(piece.shape("blocks.0.mlp.fc1.weight")?.side(0) ?? 4 * width),
                "num_hidden_layers": .integer(piece.count(after: "blocks.")),
                // Every published one has heads of 64 channels.
                "num_attention_heads": .integer(wishes.heads ?? max(width / 64, 1)),
                "image_size": .integer(side * patch), "patch_size": .integer(patch), "hidden_act": "gelu",
                "layer_norm_eps": 0.000001, "qkv_bias": .bool(piece.checkpoint.contains("blocks.0.attn.qkv.bias")),
                "interpolate_offset": 0.1,
            ],
            // Whole checkpoints of its training have its head, too.
            parts: [.init(stem: "model", piece: piece, isTaken: { !$0.hasPrefix("head.") })], files: [:])
    }

    private func lpips() throws(UnrecognizedRelease) -> RecognizedRelease? {
        let (heads, trunk) = (scan.pieces(.lpipsHeads).first, scan.pieces(.alexNet).first)
        guard let heads else { return nil }
        guard let trunk else {
            throw UnrecognizedRelease(
                problems: ["the heads are LPIPS's; their trunk is not here: alexnet-owt-7be5be79.pth"])
        }
        // VGG's and SqueezeNet's heads have the same names.
        for (head, layer) in [0, 3, 6, 8, 10].enumerated() {
            let (inputs, outputs) = (
                heads.shape("lin\(head).model.1.weight")?.dropFirst().first,
                trunk.shape("features.\(layer).weight")?.first
            )
            guard inputs != outputs else { continue }
            throw UnrecognizedRelease(
                problems: [
                    """
                    \(heads.name): lin\(head) reads \(inputs ?? 0) features, the trunk gives \(outputs ?? 0); heads \
                    for AlexNet are needed, alex.pth
                    """
                ])
        }
        return RecognizedRelease(
            family: .lpips, title: "LPIPS", configuration: ["architecture": "lpips"],
            parts: [
                .init(stem: "heads", piece: heads),
                .init(stem: "trunk", piece: trunk, isTaken: { $0.hasPrefix("features.") }),
            ], files: [:])
    }
}
