import Foundation
import Testing

@testable import Lab

struct LossTableTests {
    @Test func lossesThatBeginLaterHaveColumnsOfTheirOwn() throws {
        let table = LossTable(path: "\(FileManager.default.temporaryDirectory.path)/\(UUID().uuidString).csv")
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
}
