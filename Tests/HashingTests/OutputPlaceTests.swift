import Foundation
import Hashing
import Testing

/// What cannot be written is said before the work, with the place and what to do.
struct OutputPlaceTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder + "/in", withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: folder + "/file"))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// What is said of a place; nil where it can be written to.
    private func fault(_ check: (String) throws -> Void, _ path: String) -> String? {
        do { try check(path) } catch { return "\(error)" }
        return nil
    }

    @Test func aFileNeedsItsFolder() throws {
        try withFolder { folder in
            for name in ["new", "file", "in/new"] {
                #expect(fault(OutputPlace.file, "\(folder)/\(name)") == nil, "\(name)")
            }
            for name in ["new", "n"] { #expect(fault(OutputPlace.file, name) == nil, "in the working folder") }
            #expect(
                fault(OutputPlace.file, "\(folder)/no/x") == """
                    \(folder)/no/x cannot be written: there is no folder \(folder)/no; \
                    make it (mkdir -p \(folder)/no) or give another place
                    """)
            #expect(
                fault(OutputPlace.file, "\(folder)/in")
                    == "\(folder)/in cannot be written: it is a folder; give the name of a file")
            #expect(fault(OutputPlace.file, "\(folder)/file/x")?.contains("\(folder)/file is no folder") == true)
        }
    }

    @Test func aNewFileTakesNobodysPlace() throws {
        try withFolder { folder in
            func said(_ path: String) -> String? {
                fault({ try OutputPlace.newFile($0, remedy: "give another") }, path)
            }
            #expect(said("\(folder)/new") == nil && said("/dev/null") == nil)
            #expect(
                said("\(folder)/file") == "\(folder)/file cannot be written: it is there already; give another")
            #expect(said("\(folder)/no/x")?.contains("there is no folder") == true)
        }
    }

    @Test func aFolderIsMadeBelowAnother() throws {
        try withFolder { folder in
            for name in ["in", "new", "new/deep/er"] {
                #expect(fault(OutputPlace.folder, "\(folder)/\(name)") == nil, "\(name)")
            }
            for name in ["new", "n", "n/"] {
                #expect(fault(OutputPlace.folder, name) == nil, "in the working folder")
            }
            #expect(
                fault(OutputPlace.folder, "\(folder)/file/deep")
                    == "\(folder)/file/deep cannot be written: \(folder)/file is no folder; give another place")
        }
    }
}
