import Backbones
import Foundation
import Testing

@Suite struct FlowEulerTests {
    /// diffusers' FluxPipeline hands its scheduler 1 … 1/steps; without a shift that grows, schnell's are these.
    @Test func schnellsStepsAreEven() {
        #expect(FlowEuler(evenSteps: 4, shift: 1).sigmas == [1, 0.75, 0.5, 0.25, 0])
        let shifted = FlowEuler(evenSteps: 2, shift: 3).sigmas
        #expect(shifted[0] == 1 && abs(shifted[1] - 0.75) < 1e-6 && shifted[2] == 0)
    }

    /// diffusers' StableDiffusion3Pipeline leaves the steps to its scheduler, which ends at a thousandth.
    @Test func stepsOfAShiftThatGrowsEndWhereTheyAreSaidTo() {
        let power = exp(0.5)  // at 256 tokens
        func last(_ share: Double) -> Float { Float(power / (power + 1 / share - 1)) }
        #expect(abs(FlowEuler(steps: 4, tokens: 256).sigmas[3] - last(0.25)) < 1e-6)
        #expect(abs(FlowEuler(steps: 4, tokens: 256, endingAt: 1e-3).sigmas[3] - last(1e-3)) < 1e-6)
    }
}
