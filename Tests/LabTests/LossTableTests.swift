import Foundation
import Images
import Testing

@testable import Lab

struct LossTableTests {
    private let table = LossTable(path: "\(FileManager.default.temporaryDirectory.path)/\(UUID().uuidString).csv")

    @Test func lossesThatBeginLaterHaveColumnsOfTheirOwn() throws {
        defer { try? FileManager.default.removeItem(atPath: table.path) }
        try table.append(step: 1, [("psnr", 20), ("commitment", 0.5)])
        try table.append(step: 2, [("psnr", 21), ("generator", 0.25), ("commitment", 0.125)])
        try table.append(step: 3, [("psnr", 22), ("commitment", 0.0625)])
        #expect(
            try String(contentsOfFile: table.path, encoding: .utf8) == """
                step,psnr,commitment,generator
                1,20.0,0.5,
                2,21.0,0.125,0.25
                3,22.0,0.0625,

                """)
    }

    /// A run that began before there was one goes on in its table.
    @Test func theHeldOutLossIsDrawnBesideTheFirst() throws {
        defer { try? FileManager.default.removeItem(atPath: table.path) }
        try "step,loss\n50,3.5\n100,3.0\n".write(toFile: table.path, atomically: true, encoding: .utf8)
        let before = table.plot(title: "t")
        try table.append(step: 150, [("loss", 2.5)])
        let later = table.plot(title: "t")
        #expect(later != before)
        try table.append(step: 200, [("loss", 2.5), ("scale", 2.5), (HeldOutLoss.name, 2.75)])
        try table.append(step: 250, [("loss", 2.5), ("scale", 2.5), (HeldOutLoss.name, 2.75)])
        #expect(
            try String(contentsOfFile: table.path, encoding: .utf8) == """
                step,loss,scale,held-out
                50,3.5,,
                100,3.0,,
                150,2.5,,
                200,2.5,2.5,2.75
                250,2.5,2.5,2.75

                """)
        // The second curve's colour.
        func hasSecondCurve(_ picture: Picture) -> Bool {
            stride(from: 0, to: picture.pixels.count, by: 3).contains {
                Array(picture.pixels[$0..<$0 + 3]) == [214, 90, 36]
            }
        }
        #expect(!hasSecondCurve(later) && hasSecondCurve(table.plot(title: "t")))
    }

    /// It goes on from its last checkpoint, behind which the table had rows already.
    @Test func aKilledRunHasTheTableOfAnUndisturbedOne() throws {
        defer { try? FileManager.default.removeItem(atPath: table.path) }
        func text(_ steps: [Int]) throws -> String {
            try? FileManager.default.removeItem(atPath: table.path)
            for step in steps { try table.append(step: step, [("loss", 1 / Float(step))]) }
            return try String(contentsOfFile: table.path, encoding: .utf8)
        }
        let undisturbed = try text([50, 100, 150, 200])
        #expect(try text([50, 100, 150, 100, 150, 200]) == undisturbed)
        #expect(try text([50, 100, 50, 100, 150, 200]) == undisturbed, "there was no checkpoint")
    }

    @Test func aTableThatCannotBeReadIsNotWrittenOver() throws {
        let noText = Data([0xC3, 0x28])
        defer { try? FileManager.default.removeItem(atPath: table.path) }
        try noText.write(to: URL(fileURLWithPath: table.path))
        #expect(throws: (any Error).self) { try table.append(step: 1, [("psnr", 20)]) }
        #expect(FileManager.default.contents(atPath: table.path) == noText)
    }
}
