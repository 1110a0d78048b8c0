import Autograd
import Backbones
import ComputeTesting
import Randomness
import Tensors
import Testing

private let schedule = ScaleSchedule.square([1, 2, 3, 5])
private let depth = 4
private let batch = 3
private let quantizer = BitwiseQuantizer(schedule: schedule, depth: depth)

private func flips(_ share: Float, seed: UInt64 = 9) -> BitFlips {
    BitFlips(maximumShare: share, generator: Philox(seed: seed))
}

@Suite(.computing) struct BitwiseQuantizerTests {
    private let features = Tensor.example([batch, depth, 5, 5])

    /// Quantizes and keeps what the quantizer saw and summed at every scale.
    private func observed(_ flips: BitFlips?) -> (maps: TokenMaps, residuals: [Tensor], sums: [Tensor]) {
        var residuals: [Tensor] = []
        var sums: [Tensor] = []
        let maps = quantizer.quantize(features, flips: flips) {
            residuals.append($0.residual.copy())
            sums.append($0.sum.copy())
        }
        return (maps, residuals, sums)
    }

    @Test func givenBitsRestoreWhatQuantizationSummed() {
        let maps = quantizer.quantize(features)
        let again = quantizer.maps(bits: maps.bits, batch: batch)
        #expect(largestDifference(again.sum.values, maps.sum.values) < 1e-6)
        #expect(largestDifference(again.inputs.values, maps.inputs.values) < 1e-6)
    }

    @Test func everyBitIsTheSignOfItsScalesResidual() {
        let (maps, residuals, _) = observed(nil)
        for (scale, range) in schedule.ranges.enumerated() {
            let residual = residuals[scale].values
            let bits = maps.bits(ofScale: scale)
            for b in 0..<batch {
                for token in 0..<range.count {
                    for bit in 0..<depth {
                        let isSet = residual[(b * depth + bit) * range.count + token] > 0
                        #expect(bits[(b * range.count + token) * depth + bit] == (isSet ? 1 : 0))
                    }
                }
            }
        }
    }

    @Test func anExactZeroIsNotSet() {
        let bits = quantizer.quantize(Tensor(zeros: [1, depth, 5, 5])).bits
        #expect(bits.prefix(depth).allSatisfy { $0 == 0 })
    }

    @Test func noFlipsAndAShareOfZeroAreTheSame() {
        let plain = quantizer.quantize(features)
        let zero = quantizer.quantize(features, flips: flips(0))
        #expect(plain.bits == zero.bits)
        #expect(plain.inputs.values == zero.inputs.values)
        #expect(plain.sum.values == zero.sum.values)
    }

    @Test func theFirstScalesLabelsAreNeverFlipped() {
        #expect(
            quantizer.quantize(features, flips: flips(1)).bits(ofScale: 0)
                == quantizer.quantize(features).bits(ofScale: 0))
    }

    @Test func flippedCodesEnterTheSumAndLaterLabelsCorrectThem() {
        let corrupted = observed(flips(1))
        let clean = observed(nil)
        #expect(
            largestDifference(corrupted.sums[0].values, clean.sums[0].values) > 0.1,
            "no code of the first scale was flipped")
        for scale in schedule.sides.indices.dropFirst() {
            let side = schedule.sides[scale]
            let missing = features.copy()
            missing.accumulate(corrupted.sums[scale - 1], scale: -1)
            let expected = Resize.resized(missing, height: side.height, width: side.width, method: .area)
            #expect(largestDifference(corrupted.residuals[scale].values, expected.values) < 1e-5)
        }
        #expect(corrupted.maps.bits != clean.maps.bits, "labels of later scales did not answer to the flips")
    }

    @Test func theTransformerReadsTheCorruptedSum() {
        let (maps, _, sums) = observed(flips(1))
        for scale in schedule.sides.indices.dropFirst() {
            let range = schedule.ranges[scale]
            let expected = quantizer.tokens(sums[scale - 1], scale: scale)
            let inputs = SliceTokens(range.lowerBound - 1..<range.upperBound - 1).apply([Variable(maps.inputs)]).value
            #expect(largestDifference(inputs.values, expected.values) < 1e-6)
        }
    }

    @Test func theFlippedShareIsDrawnFromZeroToTheMaximum() {
        // One scale, many bits a picture: a picture's flipped share is close to the share it drew.
        let side = 16
        let one = BitwiseQuantizer(schedule: .square([side]), depth: 16)
        let pictures = 64
        let features = Tensor.example([pictures, 16, side, side])
        let count = 16 * side * side
        let clean = one.quantize(features).sum.values
        let corrupted = one.quantize(features, flips: flips(0.3)).sum.values
        let shares = (0..<pictures).map { picture in
            let range = picture * count..<(picture + 1) * count
            return Float(range.count { clean[$0] != corrupted[$0] }) / Float(count)
        }
        #expect(shares.max()! < 0.33 && shares.max()! > 0.2)
        #expect(shares.min()! < 0.1)
        #expect(abs(shares.reduce(0, +) / Float(pictures) - 0.15) < 0.04)
    }

    @Test func theSameGeneratorFlipsTheSameBits() {
        let first = quantizer.quantize(features, flips: flips(0.3))
        let second = quantizer.quantize(features, flips: flips(0.3))
        let other = quantizer.quantize(features, flips: flips(0.3, seed: 10))
        #expect(first.sum.values == second.sum.values)
        #expect(first.sum.values != other.sum.values)
    }

    @Test func sidesNeedNotBeSquare() {
        let wide = ScaleSchedule([.init(height: 1, width: 1), .init(height: 2, width: 3), .init(height: 3, width: 5)])
        let quantizer = BitwiseQuantizer(schedule: wide, depth: depth)
        let features = Tensor.example([2, depth, 3, 5])
        let maps = quantizer.quantize(features)
        #expect(maps.bits.count == 2 * 22 * depth)
        #expect(largestDifference(quantizer.maps(bits: maps.bits, batch: 2).sum.values, maps.sum.values) < 1e-6)
    }

    /// Tokens of four codes: what the codes' own quantizer says, ordered as `pixel_unshuffle` orders it.
    @Test func patchesOfCodesAreWhatTheCodesAre() {
        let tokens = ScaleSchedule.square([1, 2, 3])
        let codes = ScaleSchedule.square([2, 4, 6])
        let patched = BitwiseQuantizer(schedule: tokens, depth: 4 * depth, patch: 2)
        let plain = BitwiseQuantizer(schedule: codes, depth: depth)
        let features = Tensor.example([batch, depth, 6, 6])
        let (grouped, single) = (patched.quantize(features), plain.quantize(features))
        #expect(grouped.sum.values == single.sum.values && grouped.sum.shape == [batch, depth, 6, 6])
        #expect(grouped.inputs.shape == [batch, 4 + 9, 4 * depth])
        for b in 0..<batch {
            for (scale, range) in tokens.ranges.enumerated() {
                let (side, first) = (tokens.sides[scale].width, codes.ranges[scale].lowerBound)
                for (index, token) in range.enumerated() {
                    for entry in 0..<4 * depth {
                        let (channel, y, x) = (entry / 4, entry % 4 / 2, entry % 2)
                        let code = first + (index / side * 2 + y) * 2 * side + index % side * 2 + x
                        let place = (b * tokens.tokens + token) * 4 * depth + entry
                        #expect(grouped.bits[place] == single.bits[(b * codes.tokens + code) * depth + channel])
                        guard scale > 0 else { continue }
                        let own = (b * (tokens.tokens - 1) + token - 1) * 4 * depth + entry
                        let its = (b * (codes.tokens - 4) + code - 4) * depth + channel
                        #expect(grouped.inputs.values[own] == single.inputs.values[its])
                    }
                }
            }
        }
        let again = patched.maps(bits: grouped.bits, batch: batch)
        #expect(again.sum.values == grouped.sum.values && again.inputs.values == grouped.inputs.values)
        #expect(patched.tokens(grouped.sum, scale: 2).shape == [batch, 9, 4 * depth])
    }
}
