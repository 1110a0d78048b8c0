import ComputeTesting
import LittleWorld
import Testing

@testable import Lab

@Suite(.computing) struct MannerShareTests {
    private func options(_ share: Float) -> PretrainingOptions {
        PretrainingOptions(
            folder: "", steps: 1, batch: 400, learningRate: 1e-3, seed: 1, reportEvery: 1, seconds: nil,
            mannerShare: share)
    }

    @Test func soManyPicturesAreInMannersAndTheOthersStayAsTheyWere() {
        let scenes = options(0).scenes(step: 3, seed: 2)
        let some = options(0.35).scenesInManners(step: 3, seed: 2, purpose: 1)
        #expect(options(0).scenesInManners(step: 3, seed: 2, purpose: 1) == scenes)
        let changed = zip(scenes, some).count { $0 != $1 }
        #expect((100...180).contains(changed) && some == options(0.35).scenesInManners(step: 3, seed: 2, purpose: 1))
        #expect(Set(some.map(\.manner)).count == changed + 1)
    }
}
