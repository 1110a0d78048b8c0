import Foundation
import Jobs
import Testing

@testable import Daemon

/// What progress events say beside the step.
@Suite struct ProgressPaceTests {
    @Test func theEstimateCountsUntilAStageHasAPace() {
        let start = ContinuousClock.now
        var pace = ProgressPace(began: start, estimatedSeconds: 60)
        func read(_ step: Int, after seconds: Int) -> Double? {
            pace.read(.init(stage: "train", step: step, steps: 10), at: start + .seconds(seconds)).remainingSeconds
        }
        #expect(read(0, after: 10) == 50)
        #expect(read(5, after: 20) == 10, "its own pace, once it has one")
        var late = ProgressPace(began: start, estimatedSeconds: 5)
        #expect(late.read(.init(stage: "train", step: 0, steps: 1), at: start + .seconds(9)).remainingSeconds == 0)
    }

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

    @Test func noNumberOfAnEngineIsTooLarge() {
        let start = ContinuousClock.now
        var pace = ProgressPace(began: start)
        for (second, step) in [Int.min, .max, .min].enumerated() {
            let reading = pace.read(.init(stage: "train", step: step, steps: .max), at: start + .seconds(second))
            #expect(reading.percent.isFinite && reading.remainingSeconds?.isFinite ?? true)
        }
        #expect(pace.read(.init(stage: "train", step: 0, steps: .min), at: start).percent == 0)
    }
}
