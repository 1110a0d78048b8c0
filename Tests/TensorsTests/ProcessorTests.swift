import CKernels
import Foundation
import Testing

@Suite struct ProcessorTests {
    /// What the files of a control group say.
    private func quota(_ files: [String: String]) throws -> Int {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-group-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return atelier_processor_quota(folder.path)
    }

    @Test(arguments: [
        ("200000 100000\n", 2), ("150000 100000\n", 2), ("50000 100000\n", 1), ("max 100000\n", 0), ("", 0),
        ("200000 0\n", 0),
    ])
    func theSecondVersionOfGroupsHasOneFile(text: String, processors: Int) throws {
        #expect(try quota(["cpu.max": text]) == processors)
    }

    @Test(arguments: [("400000\n", 4), ("100001\n", 2), ("-1\n", 0)])
    func theFirstVersionOfGroupsHasTwoFiles(text: String, processors: Int) throws {
        #expect(try quota(["cpu.cfs_quota_us": text, "cpu.cfs_period_us": "100000\n"]) == processors)
        #expect(try quota(["cpu.cfs_quota_us": text]) == 0)
    }

    @Test func withoutFilesNothingIsSaid() throws {
        #expect(try quota([:]) == 0)
        #expect(atelier_processor_count() >= 1)
    }
}
