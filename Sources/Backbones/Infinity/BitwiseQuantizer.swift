import Autograd
import Randomness
import Tensors

/// Bitwise self-correction (Infinity, section 3.3): how many bits a scale's codes get wrong before later scales see
/// them.
package struct BitFlips {
    let maximumShare: Float
    var generator: Philox

    /// For every scale and picture a share is drawn uniformly from 0…maximumShare; 0.3 is what Infinity learnt with.
    package init(maximumShare: Float = 0.3, generator: Philox) {
        self.maximumShare = maximumShare
        self.generator = generator
    }

    /// Flips codes [B, d, h, w] of one scale, each with its picture's share; draws picture by picture, token by token,
    /// bit by bit.
    mutating func flip(_ codes: Tensor) {
        let depth = codes.shape[1]
        let n = codes.shape[2] * codes.shape[3]
        for picture in 0..<codes.shape[0] {
            let share = generator.uniform() * maximumShare
            let target = codes.pointer + picture * depth * n
            guard share > 0 else { continue }
            for token in 0..<n {
                for bit in 0..<depth where generator.uniform() < share {
                    target[bit * n + token] = -target[bit * n + token]
                }
            }
        }
    }
}

/// Multi-scale binary spherical quantization (Infinity, infinity/models/bsq_vae/multiscale_bsq.py; Zhao et al., arXiv
/// 2406.07548).
package struct BitwiseQuantizer {
    /// In tokens; where a token is a patch of codes, codes lie on a grid `patch` times as fine.
    package let schedule: ScaleSchedule
    /// Bits per token, d.
    package let depth: Int
    /// Codes of a token on a side: 2 of the 8B, whose tokens are four codes of 14 bits each (`apply_spatial_patchify`).
    package let patch: Int
    /// How the running sum is resized for the scale that reads it: trilinearly over one frame, or by area as Infinity's
    /// code had it before January 2025, and ARBooth's has it.
    package let resizing: Resize.Method

    /// - Precondition: the patch's codes divide the bits.
    package init(schedule: ScaleSchedule, depth: Int, patch: Int = 1, resizing: Resize.Method = .bilinear) {
        precondition(depth % (patch * patch) == 0, "\(depth) bits are not \(patch * patch) codes of one size")
        (self.schedule, self.depth, self.patch, self.resizing) = (schedule, depth, patch, resizing)
    }

    private var magnitude: Float { 1 / Float(depth).squareRoot() }

    /// What quantization did at one scale, for those who want to look.
    package struct Step {
        /// The residual at this scale's size [B, d, h, w], before its sign is taken.
        package let residual: Tensor
        /// The running sum after this scale [B, d, H, W].
        package let sum: Tensor
    }

    /// Bits of `features` [B, d, H, W], coarse to fine: at each scale the sign of what is still missing.
    ///
    /// With `flips`, some bits are flipped in the codes that later scales see; the bits returned are those that should
    /// have been said, and later scales correct what the flips broke.
    package func quantize(_ features: Tensor, flips: BitFlips? = nil, observe: (Step) -> Void = { _ in }) -> TokenMaps {
        if let codes = codeQuantizer { return grouped(codes.quantize(features, flips: flips, observe: observe)) }
        let batch = features.shape[0]
        let residual = features.copy()
        let sum = Tensor(zeros: features.shape)
        var bits = [UInt8](repeating: 0, count: batch * schedule.tokens * depth)
        var flips = flips
        let inputs = inputTensor(batch)
        for (scale, side) in schedule.sides.enumerated() {
            let isLast = scale == schedule.sides.count - 1
            let small =
                isLast
                ? residual.copy() : Resize.resized(residual, height: side.height, width: side.width, method: .area)
            let codes = signs(small, scale: scale, bits: &bits, flips: &flips)
            add(codes, to: sum, takingFrom: residual)
            if !isLast { write(sum, forScale: scale + 1, into: inputs) }
            observe(Step(residual: small, sum: sum))
        }
        return TokenMaps(schedule: schedule, batch: batch, depth: depth, bits: bits, inputs: inputs, sum: sum)
    }

    /// The maps that given bits [B, L, d] stand for.
    package func maps(bits: [UInt8], batch: Int) -> TokenMaps {
        precondition(bits.count == batch * schedule.tokens * depth)
        if let codes = codeQuantizer { return grouped(codes.maps(bits: ungrouped(bits, batch), batch: batch)) }
        let last = schedule.last
        let sum = Tensor(zeros: [batch, depth, last.height, last.width])
        let inputs = inputTensor(batch)
        for scale in schedule.sides.indices {
            add(codes(bits: bits, batch: batch, scale: scale), to: sum, takingFrom: nil)
            if scale < schedule.sides.count - 1 { write(sum, forScale: scale + 1, into: inputs) }
        }
        return TokenMaps(schedule: schedule, batch: batch, depth: depth, bits: bits, inputs: inputs, sum: sum)
    }

    /// ±1/√d for the bits of one scale, [B, d, h, w]; of codes in patches [B, d/p², p·h, p·w], d theirs.
    package func codes(bits: [UInt8], batch: Int, scale: Int) -> Tensor {
        if let codes = codeQuantizer { return codes.codes(bits: ungrouped(bits, batch), batch: batch, scale: scale) }
        let side = schedule.sides[scale]
        let n = side.tokens
        let first = schedule.ranges[scale].lowerBound
        let total = schedule.tokens
        let result = Tensor(uninitialized: [batch, depth, side.height, side.width])
        let target = result.pointer
        let depth = depth
        let magnitude = magnitude
        bits.withUnsafeBufferPointer { bits in
            for b in 0..<batch {
                let labels = bits.baseAddress! + (b * total + first) * depth
                for bit in 0..<depth {
                    let row = target + (b * depth + bit) * n
                    for token in 0..<n { row[token] = labels[token * depth + bit] == 1 ? magnitude : -magnitude }
                }
            }
        }
        return result
    }

    /// The sum of codes resized to scale `scale`, as tokens [B, h·w, d].
    package func tokens(_ sum: Tensor, scale: Int) -> Tensor {
        if let codes = codeQuantizer { return grouped(codes.tokens(sum, scale: scale), scale: scale) }
        let side = schedule.sides[scale]
        let resized = Resize.resized(sum, height: side.height, width: side.width, method: resizing)
        return SwapPlanes.swapped(resized.reshaped([sum.shape[0], depth, side.tokens]))
    }

    /// A sum resized by area, as the reference's quantizer itself returns its next inputs (training and generation use
    /// `tokens`).
    package func areaResized(_ sum: Tensor, to side: ScaleSchedule.Side) -> Tensor {
        Resize.resized(sum, height: side.height, width: side.width, method: .area)
    }

    /// sum += codes at the last scale's size; the residual loses what the sum gains.
    package func add(_ codes: Tensor, to sum: Tensor, takingFrom residual: Tensor?) {
        let last = (codeQuantizer ?? self).schedule.last
        let large = Resize.resized(codes, height: last.height, width: last.width, method: .bilinear)
        sum.accumulate(large)
        residual?.accumulate(large, scale: -1)
    }

    private func inputTensor(_ batch: Int) -> Tensor {
        Tensor(uninitialized: [batch, schedule.tokens - schedule.sides[0].tokens, depth])
    }

    private func write(_ sum: Tensor, forScale scale: Int, into inputs: Tensor) {
        let tokens = tokens(sum, scale: scale)
        let start = schedule.ranges[scale].lowerBound - schedule.sides[0].tokens
        let count = tokens.shape[1] * depth
        for b in 0..<tokens.shape[0] {
            (inputs.pointer + (b * inputs.shape[1] + start) * depth).update(
                from: tokens.pointer + b * count, count: count)
        }
    }

    /// The signs of a scale's residual as bits and as codes. L2 normalization does not move a sign, so it is not
    /// computed.
    private func signs(_ small: Tensor, scale: Int, bits: inout [UInt8], flips: inout BitFlips?) -> Tensor {
        let n = schedule.sides[scale].tokens
        let first = schedule.ranges[scale].lowerBound
        let total = schedule.tokens
        let codes = Tensor(uninitialized: small.shape)
        let source = small.pointer
        let target = codes.pointer
        let depth = depth
        let magnitude = magnitude
        bits.withUnsafeMutableBufferPointer { bits in
            parallel(small.shape[0], grain: 4) { range in
                for b in range {
                    let labels = bits.baseAddress! + (b * total + first) * depth
                    for bit in 0..<depth {
                        let row = (b * depth + bit) * n
                        for token in 0..<n {
                            let isSet = source[row + token] > 0
                            labels[token * depth + bit] = isSet ? 1 : 0
                            target[row + token] = isSet ? magnitude : -magnitude
                        }
                    }
                }
            }
        }
        flips?.flip(codes)
        return codes
    }
}
