import Backbones
import Testing

@Suite struct FlowEulerTests {
    /// diffusers' FluxPipeline hands its scheduler 1 … 1/steps; without a shift that grows, schnell's are these.
    @Test func schnellsStepsAreEven() {
        #expect(FlowEuler(evenSteps: 4, shift: 1).sigmas == [1, 0.75, 0.5, 0.25, 0])
        let shifted = FlowEuler(evenSteps: 2, shift: 3).sigmas
        #expect(shifted[0] == 1 && abs(shifted[1] - 0.75) < 1e-6 && shifted[2] == 0)
    }
}
