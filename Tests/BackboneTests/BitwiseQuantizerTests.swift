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

private func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.values, b.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
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
        #expect(largestDifference(again.sum, maps.sum) < 1e-6)
        #expect(largestDifference(again.inputs, maps.inputs) < 1e-6)
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
        #expect(largestDifference(corrupted.sums[0], clean.sums[0]) > 0.1, "no code of the first scale was flipped")
        for scale in schedule.sides.indices.dropFirst() {
            let side = schedule.sides[scale]
            let missing = features.copy()
            missing.accumulate(corrupted.sums[scale - 1], scale: -1)
            let expected = Resize.resized(missing, height: side.height, width: side.width, method: .area)
            #expect(largestDifference(corrupted.residuals[scale], expected) < 1e-5)
        }
        #expect(corrupted.maps.bits != clean.maps.bits, "labels of later scales did not answer to the flips")
    }

    @Test func theTransformerReadsTheCorruptedSum() {
        let (maps, _, sums) = observed(flips(1))
        for scale in schedule.sides.indices.dropFirst() {
            let range = schedule.ranges[scale]
            let expected = quantizer.tokens(sums[scale - 1], scale: scale)
            let inputs = SliceTokens(range.lowerBound - 1..<range.upperBound - 1).apply([Variable(maps.inputs)]).value
            #expect(largestDifference(inputs, expected) < 1e-6)
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
        #expect(largestDifference(quantizer.maps(bits: maps.bits, batch: 2).sum, maps.sum) < 1e-6)
    }
}
