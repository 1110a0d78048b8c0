import ComputeTesting
import Testing

@testable import Lab

@Suite(.computing) struct LearningRateScheduleTests {
    @Test(arguments: [(0, 0.2), (9, 2), (10, 2), (60, 1.05), (110, 0.1), (500, 0.1)])
    func itRisesToThePeakAndFallsToATwentieth(step: Int, rate: Float) {
        #expect(abs(LearningRateSchedule(peak: 2, warmup: 10, steps: 110)(step) - rate) < 1e-6)
    }
}
