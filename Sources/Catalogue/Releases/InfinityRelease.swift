import Foundation
import Jobs

/// Infinity as it is released: a transformer, a VAE and flan-t5, in files of their own without settings. Sizes come
/// from the shapes.
struct InfinityRelease {
    private let transformer: ReleasePiece
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    init(_ transformer: ReleasePiece, _ scan: ReleaseScan, _ wishes: ReleaseWishes) {
        (self.transformer, self.scan, self.wishes) = (transformer, scan, wishes)
    }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or does not belong together.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        var problems = transformerProblems
        let vae = fittingVAE
        let text = T5Release(scan, width: textWidth)
        if vae == nil { problems.append(missingVAE) }
        if let fault = vae?.halvesProblem("encoder.down.", "decoder.up.") { problems.append(fault) }
        problems += text?.problems ?? T5Release.missingBesideUnread(scan) ?? [missingText]
        if schedule == nil {
            let known = InfinitySchedules.sizes.keys.sorted().joined(separator: ", ")
            problems.append("\(wishes.pixels ?? "") is no number of pixels of Infinity's; known are \(known)")
        }
        if let scales = schedule?.count, scales > levels {
            problems.append(
                """
                \(transformer.name): lvl_embed.weight has \(levels) rows, and pictures of \(pixels) pixels are drawn \
                in \(scales) scales, each of which needs one: say fewer --pixels
                """)
        }
        guard problems.isEmpty, let vae, let text else { throw UnrecognizedRelease(problems: problems) }
        return RecognizedRelease(
            family: .infinity, title: title, configuration: configuration(vae, text),
            parts: [
                .init(stem: "transformer", piece: transformer, isTaken: { !Self.buffers.contains($0) }),
                .init(stem: "tokenizer", piece: vae, isTaken: { !$0.hasPrefix("quantize") }),
                text.part,
            ],
            files: text.files, warnings: warnings(vae))
    }

    /// Of several whose sizes fit, the one whose tokens have as many bits rather than a patchified one, and the
    /// regularized one of two alike: it is the one that the released 2B was trained on.
    private var fittingVAE: ReleasePiece? {
        let fitting = scan.pieces(.bitwiseTokenizer).filter { bits(of: $0) == bits || isPatched($0) }
        let same = fitting.filter { bits(of: $0) == bits }
        return same.first { $0.name.contains("reg") } ?? same.first ?? fitting.first
    }

    private static let buffers: Set<String> = [
        "lvl_1L", "attn_bias_for_masking", "Infinity_visible_kvlen", "Infinity_invisible_qlen",
    ]

    // MARK: Sizes

    private var width: Int { transformer.shape("pos_start")?.last ?? 0 }
    private var bits: Int { transformer.shape("word_embed.weight")?.last ?? 0 }
    private var textWidth: Int { transformer.shape("text_norm.weight")?.last ?? 0 }
    /// Scales that have an embedding.
    private var levels: Int { transformer.shape("lvl_embed.weight")?.side(0) ?? 15 }
    private var chunks: Int { max(transformer.count(after: "block_chunks."), 1) }
    private var isChunked: Bool { transformer.count(after: "block_chunks.") > 0 }

    private var depth: Int {
        guard isChunked else { return transformer.count(after: "blocks.") }
        return (0..<chunks).reduce(0) { $0 + transformer.count(after: "block_chunks.\($1).module.") }
    }

    private var firstBlock: String { isChunked ? "block_chunks.0.module.0" : "blocks.0" }
    private var heads: Int? { transformer.shape("\(firstBlock).sa.scale_mul_1H11")?.side(1) ?? wishes.heads }

    private var transformerProblems: [String] {
        [
            heads == nil
                ? "\(transformer.name): its shapes do not tell the number of heads; say it with --heads" : nil,
            transformer.shape("\(firstBlock).ffn.fc1.weight") == nil
                ? "\(transformer.name): \(firstBlock).ffn.fc1.weight is missing" : nil,
            depth % chunks != 0 ? "\(transformer.name): \(depth) blocks are not in \(chunks) groups of one size" : nil,
        ].compactMap { $0 }
    }

    private static let names: [[Int]: String] = [
        [12, 768]: "125M (layer12)", [16, 1152]: "layer16", [24, 1536]: "1b (layer24)", [32, 2080]: "layer32",
        [40, 2688]: "layer40", [48, 3360]: "layer48", [32, 2048]: "2b", [40, 3584]: "8b",
    ]

    private var title: String {
        "Infinity " + (Self.names[[depth, width]] ?? "of \(depth) layers and width \(width)")
    }

    private var missingVAE: String {
        let others = scan.pieces(.bitwiseTokenizer).map { "\($0.name), which makes \(bits(of: $0)) bits," }
        let beside = others.isEmpty ? "" : " (\(others.joined(separator: " ")) does not belong to it)"
        return "the transformer is \(title) of \(bits) bits; its VAE is not here: \(vaeName)\(beside)"
    }

    private var vaeName: String {
        switch bits {
        case 32: "infinity_vae_d32reg.pth"
        case 56: Self.largestVAE
        default: "infinity_vae_d\(bits).pth"
        }
    }

    /// That of 8b, which comes in shards.
    static let largestVAE = "infinity_vae_d56_f8_14_patchify.pth"

    private var missingText: String {
        let name = textWidth == 2048 ? "flan-t5-xl" : "a T5 encoder of width \(textWidth)"
        return "the transformer is \(title); its text encoder is not here: \(name)\(T5Release.others(scan))"
    }

    private func warnings(_ vae: ReleasePiece) -> [String] { [otherVAE(vae), subject].compactMap { $0 } }

    /// The two VAEs of 32 bits have the same shapes, and only one belongs to the released 2b.
    private func otherVAE(_ vae: ReleasePiece) -> String? {
        guard bits == 32, vae.name.contains("d32"), !vae.name.contains("reg") else { return nil }
        return """
            \(vae.name): the released 2b was trained with infinity_vae_d32reg.pth, of the same shapes; with another \
            VAE its pictures are poor
            """
    }

    /// No prompt of a model names what ARBooth's rows stand for.
    private var subject: String? {
        guard isARBooths else { return nil }
        return """
            \(transformer.name): its subject is a concept: add the model it was tuned on, then \
            `atelierctl concepts import`
            """
    }

    /// Whether it is a fine-tune of ARBooth's.
    private var isARBooths: Bool { transformer.checkpoint.contains(ARBoothImport.rows) }

    /// Whether the transformer's tokens are four codes of the VAE each.
    private func isPatched(_ vae: ReleasePiece) -> Bool { bits(of: vae) > 0 && 4 * bits(of: vae) == bits }

    private func bits(of vae: ReleasePiece) -> Int {
        vae.shape("encoder.conv_out.conv.weight", "encoder.conv_out.weight")?.side(0) ?? 0
    }

    // MARK: Settings

    private var pixels: String {
        if let pixels = wishes.pixels { return pixels }
        let folder = (transformer.path as NSString).standardizingPath
        return folder.contains("256x256") ? "0.06M" : folder.contains("512x512") ? "0.25M" : "1M"
    }

    private var schedule: [InfinitySchedules.Side]? { InfinitySchedules.sides(pixels, ratio: wishes.ratio) }

    private static func json(_ sides: [InfinitySchedules.Side]) -> JSONValue {
        ["sides": .array(sides.map { ["height": .integer($0.height), "width": .integer($0.width)] })]
    }

    private func configuration(_ vae: ReleasePiece, _ text: T5Release) -> JSONValue {
        let schedule = schedule ?? []
        var tokenizer = Self.tokenizer(vae)
        if isPatched(vae) { tokenizer["codePatch"] = 2 }
        let patch = (tokenizer["patchSize"]?.integer ?? 16) * (isPatched(vae) ? 2 : 1)
        let is8b = width >= 3584
        return [
            "name": .string(title), "pictureSize": .integer((schedule.last?.height ?? 0) * patch),
            "sizes": sizes(own: schedule.last, patch: patch),
            "schedule": Self.json(schedule), "tokenizer": .object(tokenizer), "text": text.configuration,
            "transformer": transformer(schedule, isPatched: isPatched(vae)), "guidance": .integer(is8b ? 3 : 4),
            "temperature": .number(is8b ? 1 : 0.5), "topP": 0.97,
        ]
    }

    /// Width and height of every picture it can draw, its own first.
    private func sizes(own: InfinitySchedules.Side?, patch: Int) -> JSONValue {
        let others = InfinitySchedules.lasts(upTo: pixels).filter { side in own.map { $0 != side } ?? true }
        return .array(
            ([own].compactMap { $0 } + others).map { [.integer($0.width * patch), .integer($0.height * patch)] })
    }

    private func transformer(_ schedule: [InfinitySchedules.Side], isPatched: Bool) -> JSONValue {
        let reference = InfinitySchedules.largest(ratio: wishes.ratio).last!
        var members: [String: JSONValue] = [
            "width": .integer(width), "depth": .integer(depth), "heads": .integer(heads ?? 0),
            "textWidth": .integer(textWidth), "textLength": .integer(transformer.shape("cfg_uncond")?.side(0) ?? 512),
            "bits": .integer(bits), "blockChunks": .integer(chunks), "feedForwardRatio": 4,
            "levels": .integer(levels), "epsilon": 0.000001,
            "rotaryReference": ["height": .integer(reference.height), "width": .integer(reference.width)],
            "schedule": Self.json(schedule),
        ]
        members["feedForwardRows"] = transformer.shape("\(firstBlock).ffn.fc1.weight")?.side(0).map(JSONValue.integer)
        if isPatched { members["codePatch"] = 2 }
        members["textHeads"] = transformer.shape("text_proj_for_sos.ca.mat_q")?.side(1).map(JSONValue.integer)
        if isARBooths {
            // ARBooth's code differs from Infinity's in both; without chunks it adds levels once, as Infinity does.
            (members["addsLevelsToEveryChunk"], members["resizesByArea"]) = (.bool(chunks > 1), true)
        }
        return .object(members)
    }

    /// Sizes of a BSQ-VAE, with or without a layer's weights one name deeper.
    static func tokenizer(_ vae: ReleasePiece) -> [String: JSONValue] {
        func rows(_ name: String) -> Int { vae.shape("\(name).conv.weight", "\(name).weight")?.side(0) ?? 0 }
        let base = max(rows("encoder.conv_in"), 1)
        func multipliers(_ levels: String) -> [JSONValue] {
            (0..<vae.count(after: levels)).map { .integer(rows("\(levels)\($0).block.0.conv1") / base) }
        }
        let halvings = vae.checkpoint.names.count { $0.contains(".downsample.") && $0.hasSuffix("weight") }
        return [
            "baseChannels": .integer(base), "encoderMultipliers": .array(multipliers("encoder.down.")),
            "decoderMultipliers": .array(multipliers("decoder.up.")),
            "residualBlocks": .integer(vae.count(after: "encoder.down.0.block.")),
            "bits": .integer(rows("encoder.conv_out")), "patchSize": .integer(1 << halvings),
        ]
    }
}
