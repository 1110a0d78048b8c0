import ComputeTesting
import Foundation
import Layers
import Tensors
import Testing

@Suite(.computing) struct EightBitMomentTests {
    /// Numbers over six powers of ten, both signs.
    private func numbers(_ count: Int) -> Tensor {
        let values = (0..<count).map { index -> Float in
            let magnitude = pow(10, -5 * Double(index % 97) / 97)
            return Float(index % 2 == 0 ? magnitude : -magnitude)
        }
        return Tensor(values, shape: [count])
    }

    @Test func everyNumberComesBackNearlyAsItWas() {
        let moment = EightBitMoment(count: 1000, isSigned: true)
        let numbers = numbers(1000)
        moment.values = numbers
        let read = moment.values
        for i in 0..<1000 {
            let (kept, number) = (read.pointer[i], numbers.pointer[i])
            // Codes are dense at the top of each power of ten, and a tenth as fine with each power below.
            let decades = -log10(abs(number))
            let error: Float = abs(number) < 1e-4 ? 0.6 : 0.08 * pow(2, Float(Int(decades)))
            #expect(abs(kept - number) <= error * abs(number), "\(number) came back as \(kept)")
        }
        moment.values = read
        #expect(moment.values.values == read.values, "what a code stands for is its own nearest")
    }

    @Test func aBlockDoesNotFeelItsNeighbours() {
        let moment = EightBitMoment(count: 2 * EightBitMoment.block + 5, isSigned: false)
        let numbers = Tensor(repeating: 1e-6, shape: [2 * EightBitMoment.block + 5])
        numbers.pointer[0] = 1e6
        moment.values = numbers
        let read = moment.values.values
        #expect(read[0] == 1e6)
        #expect(read[1] == 0, "twelve powers of ten below the largest of its block")
        #expect(read[EightBitMoment.block] == 1e-6 && read[2 * EightBitMoment.block + 4] == 1e-6)
        #expect(moment.scales.count == 3)
    }

    @Test func whatIsSmallBesideItsBlockIsNotDividedByNothing() {
        // The first gradient of number 1 is 1e-5 of its neighbour's: its second moment, 1e-10 of the other's, must not
        // be forgotten, or the next step would be the first moment over epsilon.
        let weight = Parameter(name: "w", value: Tensor(zeros: [4096]))
        weight.isTrainable = true
        let optimizer = AdamW(
            [weight], AdamW.Options(learningRate: 0.1, beta2: 0.97, weightDecay: 0), moments: .eightBit)
        var steps: [Float] = []
        for step in 0..<20 {
            let gradient = Tensor(repeating: step == 0 ? 1e-2 : 0, shape: [4096])
            gradient.pointer[0] = 1000
            weight.node!.gradient = gradient
            let before = weight.value.values
            optimizer.update()
            steps.append(largestDifference(weight.value.values, before))
        }
        #expect(steps.allSatisfy { $0 < 0.2 }, "no step is much longer than the learning rate: \(steps)")
    }
}
