extension SizeChecks {
    /// That heads have pairs of channels to turn with places, as many along each of so many axes; of heads that do not
    /// divide the width it has been said.
    fileprivate mutating func holdRotary(_ name: String, heads: Int, of width: Int, axes: Int) {
        guard heads > 0, width % heads == 0 else { return }
        require(
            width / heads % (2 * axes) == 0,
            "/\(name): \(heads) of \(width / heads) channels; positions need a number that \(2 * axes) divides")
    }

    /// Levels of a tokenizer, all but the last of which halve.
    fileprivate mutating func holdLevels(_ name: String, _ count: Int) {
        require((1...16).contains(count), "/\(name): \(count) levels; allowed are 1 to 16")
    }
}

extension InfinityModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.under("/text", text.hold)
        checks.under("/transformer", holdTransformer)
    }

    private func holdTransformer(_ checks: inout SizeChecks) {
        let sizes = transformer
        checks.hold([
            "width": sizes.width, "heads": sizes.heads, "textWidth": sizes.textWidth, "textLength": sizes.textLength,
            "bits": sizes.bits, "levels": sizes.levels,
        ])
        checks.hold(["depth": sizes.depth, "blockChunks": sizes.blockChunks], to: SizeChecks.deepest)
        checks.hold("heads", sizes.heads, divides: "width", [sizes.width])
        checks.hold("blockChunks", sizes.blockChunks, divides: "depth", [sizes.depth])
        checks.holdRotary("heads", heads: sizes.heads, of: sizes.width, axes: 2)
    }
}

extension ChameleonModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.under("/vocabulary", holdVocabulary)
        checks.under("/tokenizer") {
            $0.hold(["pixelBlock": tokenizer.pixelBlock ?? 1])
            $0.holdLevels("multipliers", tokenizer.multipliers.count)
        }
        checks.under("/transformer", holdTransformer)
    }

    /// Ids are rows of the transformer's table.
    private func holdVocabulary(_ checks: inout SizeChecks) {
        let (words, rows) = (vocabulary, transformer.vocabularySize)
        checks.hold(["sizeUnit": words.sizeUnit, "codes": words.codes])
        let ids: KeyValuePairs = [
            "firstCode": words.firstCode, "start": words.start, "separator": words.separator,
            "beginImage": words.beginImage, "endImage": words.endImage, "newLine": words.newLine,
            "firstSize": words.firstSize,
        ]
        for (name, id) in ids {
            checks.require(id >= 0 && id < rows, "/\(name): \(id) is no id of the transformer's, which has \(rows)")
        }
        checks.require(
            Int(words.firstCode) + words.codes <= rows,
            "/codes: \(words.codes) from id \(words.firstCode) on are more than the transformer's \(rows) ids")
    }

    private func holdTransformer(_ checks: inout SizeChecks) {
        let sizes = transformer
        checks.hold([
            "width": sizes.width, "feedForwardWidth": sizes.feedForwardWidth, "heads": sizes.heads,
            "keyHeads": sizes.keyHeads, "vocabularySize": sizes.vocabularySize,
            "longestSequence": sizes.longestSequence,
        ])
        checks.hold(["depth": sizes.depth], to: SizeChecks.deepest)
        checks.hold("heads", sizes.heads, divides: "width", [sizes.width])
        checks.hold("keyHeads", sizes.keyHeads, divides: "heads", [sizes.heads])
        checks.holdRotary("heads", heads: sizes.heads, of: sizes.width, axes: 1)
        checks.require((0..<1).contains(sizes.epsilon), "/epsilon: \(sizes.epsilon); allowed are 0 to 1")
        checks.require(sizes.rotaryBase > 0, "/rotaryBase: \(sizes.rotaryBase); it must be more than 0")
        let factor = sizes.rotaryFactor ?? 1
        checks.require(factor > 0, "/rotaryFactor: \(factor); it must be more than 0")
    }
}

extension LlamaGenModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.under("/text", text.hold)
        checks.under("/tokenizer") {
            $0.hold(["pixel_block": tokenizer.pixelBlock])
            $0.holdLevels("ch_mult", tokenizer.multipliers.count)
        }
        checks.under("/transformer", holdTransformer)
    }

    private func holdTransformer(_ checks: inout SizeChecks) {
        let sizes = transformer
        checks.hold([
            "dim": sizes.width, "n_head": sizes.heads, "n_kv_head": sizes.keyHeads,
            "ffn_hidden": sizes.feedForwardWidth, "vocab_size": sizes.codes, "cls_token_num": sizes.captionLength,
            "caption_dim": sizes.captionWidth,
        ])
        checks.hold(["n_layer": sizes.depth], to: SizeChecks.deepest)
        checks.hold("n_head", sizes.heads, divides: "dim", [sizes.width])
        checks.hold("n_kv_head", sizes.keyHeads, divides: "n_head", [sizes.heads])
        checks.holdRotary("n_head", heads: sizes.heads, of: sizes.width, axes: 2)
        let patch = max(tokenizer.patchSize, 1)
        let codes = pictureSize / patch
        checks.require(
            sizes.side > 0 && codes == sizes.side && codes * patch == pictureSize,
            "/block_size: \(sizes.side) codes on a side; pictures of \(pictureSize) pixels have \(codes)")
    }
}

extension DiffusionModel.Configuration: CheckedSizes {
    func hold(_ checks: inout SizeChecks) {
        checks.hold(["pictureSize": pictureSize, "textLength": textLength])
        checks.under("/text", text.hold)
        checks.under("/autoencoder", autoencoder.hold)
        checks.under("/transformer", transformer.hold)
    }
}
