import ComputeTesting
import Glibc
import Randomness
import Tensors
import Testing

@testable import Backbones

/// Samplers of models that predict noise, in what the fixtures leave at one setting.
struct NoiseScheduleTests {
    private func normal(_ count: Int, seed: UInt64) -> Tensor {
        var generator = Philox(seed: seed, purpose: 1, index: 0)
        return Tensor((0..<count).map { _ in generator.normal() }, shape: [1, count])
    }

    @Test(arguments: [0.0, 7, 499, 998.5, 999]) func aStepIsFoundAgainByItsNoise(_ step: Double) {
        let schedule = NoiseSchedule()
        // Between two steps sigmas are linear, their logarithms nearly.
        #expect(abs(schedule.step(at: schedule.sigma(at: step)) - step) < 0.01)
    }

    /// From the same first to the same last as even ones, their seventh roots even.
    @Test func karrasNoiseLiesByItsSeventhRoots() {
        let even = NoiseEuler(NoiseSchedule(.init()), steps: 6)
        let karras = NoiseEuler(NoiseSchedule(.init(isKarras: true)), steps: 6)
        #expect(karras.sigmas[0] == even.sigmas[0] && abs(karras.sigmas[5] - even.sigmas[5]) < 1e-6)
        #expect(karras.sigmas[6] == 0)
        let roots = karras.sigmas.dropLast().map { pow(Double($0), 1 / 7) }
        for (before, after) in zip(roots, roots.dropFirst()) {
            #expect(abs((before - after) - (roots[0] - roots[5]) / 5) < 1e-5, "\(roots)")
        }
        #expect(karras.timesteps == karras.timesteps.sorted(by: >) && karras.timesteps[0] == even.timesteps[0])
        #expect(karras.timesteps[2] != even.timesteps[2] && karras.initialScale == even.initialScale)
    }

    /// Numbers of diffusers' DDIMScheduler (`rescale_betas_zero_snr`), with a model that is linear in its input.
    @Test func whereNothingIsLeftOfThePictureDDIMStartsFromNothing() {
        let schedule = NoiseSchedule(.init(spacing: .trailing, prediction: .velocity, endsInNoise: true))
        #expect(schedule.retained.last == 0)
        var states: [[Float]] = []
        _ = DDIM(schedule, steps: 4).sample(
            from: Tensor([0.5, -1, 2, 0.25], shape: [1, 4]), observe: { states.append($1.values) },
            model: { input, _ in Tensor(input.values.map { 0.3 * $0 + 0.1 }, shape: input.shape) })
        let first: [Float] = [0.4461046, -0.9468483, 1.8390576, 0.2139458]
        let last: [Float] = [0.0946360, -0.5144129, 0.7036848, -0.0068722]
        #expect(largestDifference(states[0], first) < 1e-5 && largestDifference(states[3], last) < 1e-5, "\(states)")
        // Euler's steps divide by what is left.
        #expect(abs(NoiseEuler(schedule, steps: 4).sigmas[0] - 4096) < 0.01)
    }

    /// Whose noise is told rightly is the picture after the last step, where that leaves nothing of the noise.
    @Test(arguments: [NoiseSchedule.Prediction.noise, .velocity])
    func whatEndsCleanIsThePicture(_ prediction: NoiseSchedule.Prediction) {
        for clamps in [false, true] {
            let schedule = NoiseSchedule(.init(prediction: prediction, endsClean: true, clamps: clamps))
            let sampler = DDIM(schedule, steps: 1)
            let step = Int(sampler.timesteps[0])
            let (picture, noise) = (normal(8, seed: 1), normal(8, seed: 2))
            let state = schedule.noised(picture, noise: noise, steps: [step])
            let output = schedule.target(picture, noise: noise, steps: [step])
            let end = sampler.step(state, output: output, at: 0)
            for (a, b) in zip(end.values, picture.values) {
                #expect(abs(a - (clamps ? min(max(b, -1), 1) : b)) < 1e-4)
            }
            #expect(picture.values.contains { abs($0) > 1 })
        }
    }

    @Test func whatDoesNotEndCleanKeepsALittleNoise() {
        let schedule = NoiseSchedule(.init(endsClean: false))
        let sampler = DDIM(schedule, steps: 1)
        let (picture, noise) = (normal(8, seed: 1), normal(8, seed: 2))
        let state = schedule.noised(picture, noise: noise, steps: [Int(sampler.timesteps[0])])
        let end = sampler.step(state, output: noise, at: 0)
        let expected = schedule.noised(picture, noise: noise, steps: [0])
        for (a, b) in zip(end.values, expected.values) { #expect(abs(a - b) < 1e-4) }
    }
}
