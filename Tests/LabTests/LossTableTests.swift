import Foundation
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

    @Test func aTableThatCannotBeReadIsNotWrittenOver() throws {
        let noText = Data([0xC3, 0x28])
        defer { try? FileManager.default.removeItem(atPath: table.path) }
        try noText.write(to: URL(fileURLWithPath: table.path))
        #expect(throws: (any Error).self) { try table.append(step: 1, [("psnr", 20)]) }
        #expect(FileManager.default.contents(atPath: table.path) == noText)
    }
}
