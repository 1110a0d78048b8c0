import Foundation
import Jobs

/// Lumina-mGPT as it is released: transformers' folder with `tokenizer.json`, and Chameleon's VQGAN as a Lightning
/// checkpoint; or Chameleon as Meta ships it, `consolidated.pth` and its tokenizers.
struct ChameleonRelease {
    private let transformer: ChameleonTransformerFiles
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    init(_ transformer: ChameleonTransformerFiles, _ scan: ReleaseScan, _ wishes: ReleaseWishes) {
        (self.transformer, self.scan, self.wishes) = (transformer, scan, wishes)
    }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or not built.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        let vqgan = scan.pieces(.chameleonTokenizer).first
        let order = codeOrder
        var problems = transformer.problems + settingsProblems
        if vqgan == nil {
            problems.append("the transformer is \(title); its VQGAN is not here: \(Self.vqganName)")
        }
        if let rows = vqgan?.shape("quantize.embedding.weight")?.side(0), let order, rows != order.count {
            problems.append(
                "\(vqgan!.name): has \(rows) codes, the transformer's vocabulary \(order.count): they are no pair")
        }
        if let fault = vqgan?.halvesProblem("encoder.down.", "decoder.up.") { problems.append(fault) }
        if let fault = vqgan.flatMap(roomProblem) { problems.append(fault) }
        guard problems.isEmpty, let vqgan, let settings, let words = transformer.vocabulary else {
            throw UnrecognizedRelease(problems: problems)
        }
        return RecognizedRelease(
            family: .chameleon, title: title, configuration: configuration(vqgan, settings, order),
            parts: [
                transformer.part,
                .init(stem: "tokenizer", piece: vqgan, isTaken: { !$0.hasPrefix("loss.") }),
            ],
            files: ["tokenizer.json": words], warnings: warnings)
    }

    static let vqganName = "vqgan.ckpt (Lumina-mGPT has it in tokenizer/, Meta's Chameleon has it in data/tokenizer/)"

    private var settings: JSONValue? { transformer.settings }
    private var width: Int { transformer.shape("model.embed_tokens.weight")?.last ?? 0 }
    private var depth: Int { transformer.depth }
    private var title: String {
        guard width == 4096, depth == 32 else { return "a Chameleon of \(depth) layers and width \(width)" }
        return transformer.isMetas ? "Chameleon 7B" : "Lumina-mGPT 7B"
    }

    private var warnings: [String] {
        guard transformer.isMetas else { return [] }
        return [
            """
            \(transformer.piece.name): Chameleon as Meta ships it was not taught the tokens of a picture's size and \
            rows, with which it is asked for pictures here; Lumina-mGPT was
            """
        ]
    }

    private var settingsProblems: [String] {
        guard let settings, !transformer.isMetas else { return [] }
        let folder = transformer.piece.folder
        let activation = settings["hidden_act"] ?? .null
        let isSiLU = activation == .null || activation == "silu"
        return [
            settings["num_attention_heads"]?.integer == nil
                ? "\(folder)/config.json: lacks num_attention_heads" : nil,
            rotaryFactor == nil
                ? "\(folder)/config.json: rope_type \(rotaryKind) is not built; default is, and linear with a factor"
                : nil,
            transformer.piece.layersProblem("model.layers.", "num_hidden_layers"),
            isSiLU ? nil : "\(folder)/config.json: hidden_act \(activation.brief) is not built; silu is",
            transformer.shape("lm_head.weight") == nil && !tiesEmbeddings
                ? "\(transformer.piece.name): lm_head.weight is missing; config.json says no tie_word_embeddings" : nil,
        ].compactMap { $0 }
    }

    /// What is said of the rotary embedding in an object of its own; older versions of transformers call it otherwise.
    private var rotary: JSONValue {
        ["rope_parameters", "rope_scaling"].compactMap { settings?[$0] }.first { $0 != .null } ?? [:]
    }

    private var rotaryKind: String {
        if let kind = rotary["rope_type"] ?? rotary["type"] { return kind.string ?? kind.brief }
        return rotary["factor"] == nil ? "default" : "of no name"
    }

    /// What positions are divided by; nil where something else is done to them.
    private var rotaryFactor: Double? {
        switch rotaryKind {
        case "default": 1
        case "linear": rotary["factor"]?.double.flatMap { $0 > 0 ? $0 : nil }
        default: nil
        }
    }

    /// Whether the embeddings are the head: transformers then writes no other.
    private var tiesEmbeddings: Bool {
        settings?["tie_word_embeddings"] == .bool(true) && transformer.shape("lm_head.weight") == nil
    }

    // MARK: The sequence

    /// Places that a picture takes with its marks and a prompt's: the prompt has two, the picture's heading three, and
    /// the picture itself lies in rows with their ends, and its own end.
    static func places(rows: Int, columns: Int) -> Int { 5 + rows * (columns + 1) + 1 }

    private var longestSequence: Int { settings?["max_position_embeddings"]?.integer ?? 4096 }

    /// Places that a picture of so many pixels and the shortest prompt take.
    private func places(_ width: Int, _ height: Int, _ vqgan: ReleasePiece) -> Int {
        let patch = 1 << max(vqgan.count(after: "encoder.down.") - 1, 0)
        return Self.places(rows: height / patch, columns: width / patch) + 1
    }

    /// That the usual picture does not fit the positions; nil where it does.
    private func roomProblem(_ vqgan: ReleasePiece) -> String? {
        let side = wishes.side ?? side
        let taken = places(side, side, vqgan)
        guard settings != nil, taken > longestSequence else { return nil }
        return """
            \(transformer.piece.name): has positions for \(longestSequence) tokens (max_position_embeddings), and a \
            picture of \(side)×\(side) pixels takes \(taken) with the shortest prompt: say a smaller --side
            """
    }

    // MARK: The vocabulary

    private var identifiers: [String: Int] {
        guard case .object(let members) = settings?["vocabulary_map"] else { return [:] }
        return members.compactMapValues(\.integer)
    }

    /// Ids of the tokens of pictures, by the number in their names (IMGIMG, digits as letters from A, Z).
    private var codes: [(number: Int, id: Int)] {
        identifiers.compactMap { name, id in
            guard name.hasPrefix("IMGIMG"), name.hasSuffix("Z") else { return nil }
            let digits = name.dropFirst("IMGIMG".count).dropLast().unicodeScalars.map { Int($0.value) - 65 }
            guard !digits.isEmpty, digits.allSatisfy({ (0..<10).contains($0) }) else { return nil }
            return (digits.reduce(0) { 10 * $0 + $1 }, id)
        }.sorted { $0.id < $1.id }
    }

    /// The codebook's row of each id in order; nil where nothing names them, and code n is the n-th.
    private var codeOrder: [Int]? {
        let codes = codes
        guard let first = codes.first?.id, codes.enumerated().allSatisfy({ $1.id == first + $0 }) else { return nil }
        return codes.map(\.number)
    }

    private func vocabulary(_ codes: Int) -> JSONValue {
        let names = identifiers
        func id(_ name: String, _ usual: Int) -> JSONValue { .integer(names[name] ?? usual) }
        return [
            "size": .integer(transformer.shape("model.embed_tokens.weight")?.side(0) ?? 0),
            "firstCode": .integer(self.codes.first?.id ?? 4), "codes": .integer(codes), "start": id("<s>", 0),
            "separator": id("<reserved08706>", 8710), "beginImage": id("<racm3:break>", 8197),
            "endImage": id("<eoss>", 8196), "newLine": id("<reserved08799>", 8803),
            "firstSize": id("<reserved08800>", 8804), "sizeUnit": 32,
        ]
    }

    // MARK: Settings

    private func configuration(_ vqgan: ReleasePiece, _ settings: JSONValue, _ order: [Int]?) -> JSONValue {
        let codes = vqgan.shape("quantize.embedding.weight")?.side(0) ?? 0
        return [
            "name": .string(title), "pictureSize": .integer(wishes.side ?? side),
            "sizes": sizes(wishes.side ?? side, unit: 32, vqgan),
            "vocabulary": vocabulary(codes), "tokenizer": Self.tokenizer(vqgan, order: order),
            "transformer": transformer(settings), "guidance": 4, "topK": .integer(min(2000, codes)),
            "temperature": 1,
            "promptTemplate": "Generate an image of {width}x{height} according to the following prompt:\n{prompt}",
        ]
    }

    /// The crops Lumina-mGPT was trained on (data/item_processor.py, `generate_crop_size_list`): as many units as its
    /// square has, and at most four times as long as wide; the square first. More rows have more ends: those that do
    /// not fit the positions are left out.
    private func sizes(_ side: Int, unit: Int, _ vqgan: ReleasePiece) -> JSONValue {
        let most = side / unit * (side / unit)
        var sizes: [JSONValue] = [[.integer(side), .integer(side)]]
        var (wide, high) = (most, 1)
        while wide > 0 {
            let isOther = wide * unit != side || high * unit != side
            if isOther, max(wide, high) <= 4 * min(wide, high),
                places(wide * unit, high * unit, vqgan) <= longestSequence
            {
                sizes.append([.integer(wide * unit), .integer(high * unit)])
            }
            if (high + 1) * wide <= most { high += 1 } else { wide -= 1 }
        }
        return .array(sizes)
    }

    /// The size stands in the release's name (7B-768, 7B-1024): its folder's, else one of those it was trained from.
    private var side: Int {
        let path = (settings?["_name_or_path"]?.string ?? "").split(separator: "/").map(String.init)
        let trained: [String] = path.reversed()
        let own = ReleasePiece.usualName(of: transformer.piece.folder)
        return ([own] + trained).lazy.compactMap { Self.side(in: $0) }.first
            ?? (transformer.isMetas ? 512 : 768)
    }

    private static func side(in name: String) -> Int? {
        let numbers = name.split { !$0.isNumber }.compactMap { Int($0) }
        return numbers.last { [256, 512, 768, 1024].contains($0) }
    }

    private func transformer(_ settings: JSONValue) -> JSONValue {
        func number(_ name: String, _ usual: Int) -> JSONValue { .integer(settings[name]?.integer ?? usual) }
        let layer = "model.layers.0."
        let heads = settings["num_attention_heads"]?.integer ?? 0
        var members: [String: JSONValue] = [
            "vocabularySize": .integer(transformer.shape("model.embed_tokens.weight")?.side(0) ?? 0),
            "width": .integer(width),
            "feedForwardWidth": .integer(transformer.shape(layer + "mlp.gate_proj.weight")?.side(0) ?? 0),
            "depth": .integer(depth), "heads": .integer(heads), "keyHeads": number("num_key_value_heads", heads),
            "swinNorm": settings["swin_norm"] ?? false, "longestSequence": .integer(longestSequence),
            "epsilon": settings["rms_norm_eps"] ?? 0.00001,
            "rotaryBase": .number(settings["rope_theta"]?.double ?? rotary["rope_theta"]?.double ?? 10000),
            "attentionBias": settings["attention_bias"] ?? false, "feedForwardBias": settings["mlp_bias"] ?? false,
        ]
        if let factor = rotaryFactor, factor != 1 { members["rotaryFactor"] = .number(factor) }
        if tiesEmbeddings { members["tiesEmbeddings"] = true }
        for (name, norm) in [("queryNormRows", "q_norm"), ("keyNormRows", "k_norm")] {
            members[name] = transformer.shape(layer + "self_attn.\(norm).weight")?.side(0).map(JSONValue.integer)
        }
        return .object(members)
    }

    /// Sizes of a VQGAN of taming-transformers.
    static func tokenizer(_ vqgan: ReleasePiece, order: [Int]?) -> JSONValue {
        func rows(_ name: String) -> Int { vqgan.shape("\(name).weight")?.side(0) ?? 0 }
        let base = max(rows("encoder.conv_in"), 1)
        let levels = vqgan.count(after: "encoder.down.")
        var members: [String: JSONValue] = [
            "baseChannels": .integer(base),
            "multipliers": .array((0..<levels).map { .integer(rows("encoder.down.\($0).block.0.conv1") / base) }),
            "residualBlocks": .integer(vqgan.count(after: "encoder.down.0.block.")),
            "latentChannels": .integer(rows("encoder.conv_out")), "codes": .integer(rows("quantize.embedding")),
            "codeWidth": .integer(vqgan.shape("quantize.embedding.weight")?.last ?? 0),
        ]
        let attending = (0..<levels).filter { vqgan.checkpoint.contains("encoder.down.\($0).attn.0.norm.weight") }
        if !attending.isEmpty { members["attendingLevels"] = .array(attending.map(JSONValue.integer)) }
        if let order, order != Array(order.indices) { members["codeOrder"] = .array(order.map(JSONValue.integer)) }
        return .object(members)
    }
}
