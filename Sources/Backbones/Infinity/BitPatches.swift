import Tensors

/// Tokens of several codes each: the quantizer works on codes, the transformer on patches of p × p of them
/// (`apply_spatial_patchify` of infinity/models/infinity.py). Entry c·p² + p·y + x of a token is entry c of its code
/// in row y and column x, as `pixel_unshuffle` orders them.
extension BitwiseQuantizer {
    /// The quantizer of the codes themselves; nil where a token is one.
    var codeQuantizer: BitwiseQuantizer? {
        guard patch > 1 else { return nil }
        let sides = schedule.sides.map { ScaleSchedule.Side(height: patch * $0.height, width: patch * $0.width) }
        return BitwiseQuantizer(
            schedule: ScaleSchedule(sides), depth: depth / (patch * patch), resizing: resizing)
    }

    /// The sum of no codes yet [B, d, h, w], at the last scale's size.
    func emptySum(batch: Int) -> Tensor {
        let codes = codeQuantizer ?? self
        return Tensor(zeros: [batch, codes.depth, codes.schedule.last.height, codes.schedule.last.width])
    }

    /// For every entry of a scale's tokens [h·w, d] the place among its codes' entries [p·h · p·w, d/p²].
    private func places(_ scale: Int) -> [Int] {
        let side = schedule.sides[scale]
        let (width, codeDepth) = (patch * side.width, depth / (patch * patch))
        return (0..<side.tokens).flatMap { token in
            let (row, column) = (token / side.width * patch, token % side.width * patch)
            return (0..<depth).map { entry in
                let (channel, place) = (entry / (patch * patch), entry % (patch * patch))
                return ((row + place / patch) * width + column + place % patch) * codeDepth + channel
            }
        }
    }

    /// Maps of codes as maps of tokens: the bits [B, L, d] and the inputs; the sum stays one of codes.
    func grouped(_ maps: TokenMaps) -> TokenMaps {
        let (all, first) = (schedule.tokens * depth, schedule.ranges[0].count * depth)
        var bits = [UInt8](repeating: 0, count: maps.batch * all)
        let inputs = Tensor(uninitialized: [maps.batch, schedule.tokens - schedule.ranges[0].count, depth])
        for (scale, range) in schedule.ranges.enumerated() {
            let places = places(scale)
            for picture in 0..<maps.batch {
                let start = picture * all + range.lowerBound * depth
                for (index, place) in places.enumerated() {
                    bits[start + index] = maps.bits[start + place]
                }
                guard scale > 0 else { continue }
                let own = picture * (all - first) + range.lowerBound * depth - first
                for (index, place) in places.enumerated() {
                    inputs.pointer[own + index] = maps.inputs.pointer[own + place]
                }
            }
        }
        return TokenMaps(
            schedule: schedule, batch: maps.batch, depth: depth, bits: bits, inputs: inputs, sum: maps.sum)
    }

    /// Codes of one scale as entries [B, p·h · p·w, d/p²], as tokens [B, h·w, d].
    func grouped(_ codes: Tensor, scale: Int) -> Tensor {
        let (places, batch) = (places(scale), codes.shape[0])
        let tokens = Tensor(uninitialized: [batch, schedule.sides[scale].tokens, depth])
        for picture in 0..<batch {
            let start = picture * places.count
            for (index, place) in places.enumerated() {
                tokens.pointer[start + index] = codes.pointer[start + place]
            }
        }
        return tokens
    }

    /// The codes' bits of the tokens' [B, L, d].
    func ungrouped(_ bits: [UInt8], _ batch: Int) -> [UInt8] {
        var codes = [UInt8](repeating: 0, count: bits.count)
        for (scale, range) in schedule.ranges.enumerated() {
            let places = places(scale)
            for picture in 0..<batch {
                let start = (picture * schedule.tokens + range.lowerBound) * depth
                for (index, place) in places.enumerated() { codes[start + place] = bits[start + index] }
            }
        }
        return codes
    }
}
