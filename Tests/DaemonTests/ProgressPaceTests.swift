import Foundation
import Jobs
import Testing

@testable import Daemon

/// What progress events say beside the step.
@Suite struct ProgressPaceTests {
    @Test func theRestIsReckonedByTheStagesOwnPace() {
        let start = ContinuousClock.now
        var pace = ProgressPace(began: start)
        func read(_ stage: String, _ step: Int, at seconds: Double) -> ProgressPace.Reading {
            pace.read(.init(stage: stage, step: step, steps: 100), at: start + .seconds(seconds))
        }
        #expect(read("prepare", 0, at: 1) == .init(percent: 0, elapsedSeconds: 1, remainingSeconds: nil))
        #expect(read("prepare", 50, at: 3) == .init(percent: 50, elapsedSeconds: 3, remainingSeconds: 2))
        // An attempt that resumed begins its stage in the middle.
        #expect(read("train", 40, at: 4) == .init(percent: 40, elapsedSeconds: 4, remainingSeconds: nil))
        #expect(read("train", 60, at: 14) == .init(percent: 60, elapsedSeconds: 14, remainingSeconds: 20))
    }

    @Test func aStageWithoutStepsHasNoPercentOfThem() {
        var pace = ProgressPace()
        #expect(pace.read(.init(stage: "load", step: 0, steps: 0)).percent == 0)
    }
}
