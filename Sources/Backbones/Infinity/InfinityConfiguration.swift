extension InfinityTransformer {
    /// Its sizes, read and written under these names.
    package struct Configuration: Codable, Equatable, Sendable {
        /// C of a token.
        package var width: Int
        /// Blocks.
        package var depth: Int
        /// Heads of both attentions; they divide C.
        package var heads: Int
        /// D of a text feature.
        package var textWidth: Int
        /// Rows of the learned unconditional text.
        package var textLength: Int
        /// Bits per token, d.
        package var bits: Int
        /// How the checkpoint groups the blocks; one group is named `blocks.<i>`.
        package var blockChunks: Int
        /// Channels of a feed-forward's inside by C, before they are rounded to 256.
        package var feedForwardRatio: Float = 4
        /// Rows of the feed-forward's first matrix, where a checkpoint tells them; else they follow from the ratio.
        package var feedForwardRows: Int?
        /// Heads of the text's pooling, where a checkpoint tells them; else they follow from the widths.
        package var textHeads: Int?
        /// Whether the level embedding is added before every group of blocks, as in ARBooth's code, and not before the
        /// first alone; before every block where there is but one group (`add_lvl_embeding_only_first_block` 0).
        package var addsLevelsToEveryChunk: Bool?
        /// Whether a scale reads the running sum resized by area, as in ARBooth's code, and not trilinearly.
        package var resizesByArea: Bool?
        /// Codes of a token on a side, where that is not one: 2 of the 8B.
        package var codePatch: Int?
        /// Scales the level embedding has rows for.
        package var levels = 15
        /// Side of the last scale of the 1-megapixel schedule, which rotary positions refer to.
        package var rotaryReference: ScaleSchedule.Side = ScaleSchedule.Side(height: 64, width: 64)
        /// ε of every norm.
        package var epsilon: Float = 1e-6
        /// Of a picture's tokens, L in all.
        package var schedule: ScaleSchedule

        /// The rest is as published until it is set.
        package init(
            width: Int, depth: Int, heads: Int, textWidth: Int, textLength: Int, bits: Int, blockChunks: Int,
            schedule: ScaleSchedule
        ) {
            self.width = width
            self.depth = depth
            self.heads = heads
            self.textWidth = textWidth
            self.textLength = textLength
            self.bits = bits
            self.blockChunks = blockChunks
            self.schedule = schedule
        }

        /// 4·C rounded to 256, halves to even (the reference's Infinity, `models/basic.py`).
        var feedForwardWidth: Int {
            feedForwardRows ?? max(256, 256 * Int((Float(width) * feedForwardRatio / 256).rounded(.toNearestOrEven)))
        }
        var headWidth: Int { width / heads }
        /// Heads of the attention pooling.
        var poolingHeads: Int { textHeads ?? max(1, textWidth / (width > 4096 ? 64 : 128)) }
        /// What makes bits of features and inputs of bits.
        package var quantizer: BitwiseQuantizer {
            BitwiseQuantizer(
                schedule: schedule, depth: bits, patch: codePatch ?? 1,
                resizing: resizesByArea == true ? .area : .bilinear)
        }

        func blockName(_ index: Int) -> String {
            let perChunk = depth / blockChunks
            return blockChunks == 1 ? "blocks.\(index)" : "block_chunks.\(index / perChunk).module.\(index % perChunk)"
        }
    }
}
