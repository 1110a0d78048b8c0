import ComputeTesting
import Tensors
import Testing

@testable import Lab

@Suite(.computing) struct ConformanceReportTests {
    @Test func whatIsNoNumberPassesNoComparison() {
        let (computed, recorded) = (Tensor([1, .nan, 3], shape: [3]), Tensor([1, 2, 3], shape: [3]))
        var report = ConformanceReport()
        report.compare("relative", computed, recorded, tolerance: 1)
        report.compareAbsolutely("absolute", computed, recorded, tolerance: 1)
        report.compareNorm("norm", computed, recorded, tolerance: 1)
        #expect(report.lines.count == 3)
        for line in report.lines { #expect(!line.isWithin, "\(line.name): error \(line.error)") }
    }
}
