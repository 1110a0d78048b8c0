import Foundation
import Jobs

/// LlamaGen as it is released: a transformer, a VQ tokenizer and flan-t5, in files of their own without settings.
package struct LlamaGenRelease {
    /// Where its parts are, and its settings.
    package struct Parts: Sendable {
        /// `config.json` of the model it becomes.
        package let configuration: JSONValue
        /// Where the weights of each part are read from.
        package let transformer, tokenizer, text: ReleasePiece
        /// The text tokenizer's file.
        package let vocabulary: String
    }

    private let transformer: ReleasePiece
    private let scan: ReleaseScan
    private let wishes: ReleaseWishes

    /// Nil where there is no transformer of LlamaGen.
    package init?(_ scan: ReleaseScan, _ wishes: ReleaseWishes) {
        guard let transformer = scan.pieces(.llamaGenTransformer).first else { return nil }
        (self.transformer, self.scan, self.wishes) = (transformer, scan, wishes)
    }

    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or does not belong together.
    package func parts() throws(UnrecognizedRelease) -> Parts {
        let tokenizer = fittingTokenizer
        let text = T5Release(scan, width: shape("cls_embedding.uncond_embedding").last)
        let title = "the transformer is \(title)"
        let missingText = "\(title); its text encoder is not here: flan-t5-xl\(T5Release.others(scan))"
        let problems =
            (keyHeads == nil ? [headsProblem] : [])
            + (tokenizer == nil ? ["\(title); its tokenizer is not here: vq_ds16_t2i.pt"] : [])
            + [tokenizer?.halvesProblem("encoder.conv_blocks.", "decoder.conv_blocks.")].compactMap { $0 }
            + (text?.problems ?? T5Release.missingBesideUnread(scan) ?? [missingText])
        guard problems.isEmpty, let tokenizer, let text, let vocabulary = text.vocabulary else {
            throw UnrecognizedRelease(problems: problems)
        }
        return Parts(
            configuration: configuration(tokenizer, text), transformer: transformer, tokenizer: tokenizer,
            text: text.piece, vocabulary: vocabulary)
    }

    /// Of several whose codes fit, one that is not the class-conditional models'.
    private var fittingTokenizer: ReleasePiece? {
        let fitting = scan.pieces(.llamaGenTokenizer).filter {
            $0.shape("quantize.embedding.weight")?.side(0) == shape("tok_embeddings.weight").first
        }
        return fitting.first { Self.warnings($0).isEmpty } ?? fitting.first
    }

    /// Nothing but its name tells `vq_ds16_c2i.pt` from the one that belongs to transformers of texts.
    private static func warnings(_ tokenizer: ReleasePiece) -> [String] {
        guard tokenizer.name.contains("c2i") else { return [] }
        return [
            """
            \(tokenizer.name): is the class-conditional models'; the released transformers of texts were trained with \
            vq_ds16_t2i.pt, and with another tokenizer their pictures are poor
            """
        ]
    }

    /// The model it becomes.
    /// - Throws: ``UnrecognizedRelease`` with everything that is missing or does not belong together.
    func recognized() throws(UnrecognizedRelease) -> RecognizedRelease {
        let parts = try parts()
        return RecognizedRelease(
            family: .llamagen, title: title, configuration: parts.configuration,
            parts: [
                .init(stem: "transformer", piece: parts.transformer),
                .init(
                    stem: "tokenizer", piece: parts.tokenizer,
                    isTaken: { !$0.hasPrefix("loss.") && $0 != "quantize.codebook_used" }),
                .init(stem: "text_encoder", piece: parts.text, isTaken: T5Release.isEncoders),
            ],
            files: [(parts.vocabulary as NSString).lastPathComponent: parts.vocabulary],
            warnings: Self.warnings(parts.tokenizer))
    }

    private func shape(_ name: String) -> [Int] { transformer.shape(name).flatMap { $0.isEmpty ? nil : $0 } ?? [0] }
    private var width: Int { shape("tok_embeddings.weight").last! }
    private var depth: Int { transformer.count(after: "layers.") }
    private var title: String {
        "LlamaGen " + (width == 1280 && depth == 36 ? "XL" : "of \(depth) layers and width \(width)")
    }

    /// Heads of queries; every released one has them of 64 channels.
    private var heads: Int { wishes.heads ?? max(width / 64, 1) }

    private var packedRows: Int { shape("layers.0.attention.wqkv.weight").first! }

    /// Heads of keys and values, whose rows stand behind those of the queries; nil where these are no such heads.
    private var keyHeads: Int? {
        guard width > 0, heads > 0, width % heads == 0 else { return nil }
        let keyHeads = (packedRows - width) / (2 * (width / heads))
        let isWhole = packedRows * heads == width * (heads + 2 * keyHeads)
        return isWhole && keyHeads > 0 && heads % keyHeads == 0 ? keyHeads : nil
    }

    private var headsProblem: String {
        """
        \(transformer.name): the \(packedRows) rows of layers.0.attention.wqkv.weight are not those of \(heads) heads \
        of queries and as many or fewer of keys and values; say with --heads how many heads of queries there are
        """
    }

    private func configuration(_ tokenizer: ReleasePiece, _ text: T5Release) -> JSONValue {
        let sizes = Self.tokenizer(tokenizer)
        let patch = 1 << ((sizes["ch_mult"]?.array?.count ?? 1) - 1)
        // Its files are named after the stage: t2i_XL_stage2_512.pt.
        let side = wishes.side.map { $0 / patch } ?? (transformer.name.contains("512") ? 512 : 256) / patch
        return [
            "name": .string(title), "pictureSize": .integer(side * patch), "tokenizer": sizes,
            "text": text.configuration, "transformer": transformerSizes(side: side), "guidance": 7.5,
            "topK": .integer(min(1000, shape("tok_embeddings.weight").first!)), "temperature": 1,
            "cleansCaptions": true,
        ]
    }

    private func transformerSizes(side: Int) -> JSONValue {
        let captions = shape("cls_embedding.uncond_embedding")
        return [
            "dim": .integer(width), "n_layer": .integer(depth), "n_head": .integer(heads),
            "n_kv_head": .integer(keyHeads ?? heads),
            "ffn_hidden": .integer(shape("layers.0.feed_forward.w1.weight").first!),
            "vocab_size": .integer(shape("tok_embeddings.weight").first!),
            "cls_token_num": .integer(captions.first!), "caption_dim": .integer(captions.last!),
            "block_size": .integer(side * side),
        ]
    }

    private static func tokenizer(_ vq: ReleasePiece) -> JSONValue {
        func rows(_ name: String) -> Int { vq.shape("\(name).weight")?.side(0) ?? 0 }
        let base = max(rows("encoder.conv_in"), 1)
        let levels = vq.count(after: "encoder.conv_blocks.")
        return [
            "ch": .integer(base),
            "ch_mult": .array((0..<levels).map { .integer(rows("encoder.conv_blocks.\($0).res.0.conv1") / base) }),
            "num_res_blocks": .integer(vq.count(after: "encoder.conv_blocks.0.res.")),
            "z_channels": .integer(rows("encoder.conv_out")), "codebook_size": .integer(rows("quantize.embedding")),
            "codebook_embed_dim": .integer(vq.shape("quantize.embedding.weight")?.last ?? 0),
        ]
    }
}
