import Foundation
import Jobs
import Testing

@testable import Daemon

/// What progress events say beside the step.
@Suite struct ProgressPaceTests {
    @Test func theEstimateCountsUntilAStageHasAPace() {
        let start = ContinuousClock.now
        var pace = ProgressPace(began: start, estimatedSeconds: 60)
        func read(_ step: Int, after seconds: Int) -> ProgressPace.Reading {
            pace.read(.init(stage: "train", step: step, steps: 10), at: start + .seconds(seconds))
        }
        let (first, second) = (read(0, after: 10), read(5, after: 20))
        #expect(first.remainingSeconds == 50 && first.remainder == .job)
        #expect(second.remainingSeconds == 10 && second.remainder == .stage, "its own pace, once it has one")
        var late = ProgressPace(began: start, estimatedSeconds: 5)
        #expect(late.read(.init(stage: "train", step: 0, steps: 1), at: start + .seconds(9)).remainingSeconds == 0)
    }

    @Test func theRestIsReckonedByTheStagesOwnPace() {
        let start = ContinuousClock.now
        var pace = ProgressPace(began: start)
        func read(_ stage: String, _ step: Int, at seconds: Double) -> ProgressPace.Reading {
            pace.read(.init(stage: stage, step: step, steps: 100), at: start + .seconds(seconds))
        }
        func said(_ percent: Double, _ elapsed: Double, _ left: Double?) -> ProgressPace.Reading {
            .init(
                percent: percent, elapsedSeconds: elapsed, remainingSeconds: left, remainder: left.map { _ in .stage })
        }
        #expect(read("prepare", 0, at: 1) == said(0, 1, nil))
        #expect(read("prepare", 50, at: 3) == said(50, 3, 2))
        // An attempt that resumed begins its stage in the middle.
        #expect(read("train", 40, at: 4) == said(40, 4, nil))
        #expect(read("train", 60, at: 14) == said(60, 14, 20))
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
