import Foundation

/// Where what belongs to the programs lies: `../share/atelier/NAME` where they are installed, the root of a checkout
/// where they were built.
package struct Installation: Sendable {
    /// The folder of the running program.
    private let programs: String
    private let workingDirectory: String

    /// - Parameters:
    ///   - programs: the programs' folder; the running one's unless said otherwise.
    ///   - workingDirectory: counts where it is a checkout: its build may lie anywhere.
    package init(programs: String? = nil, workingDirectory: String = FileManager.default.currentDirectoryPath) {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        self.programs = programs ?? (program as NSString).deletingLastPathComponent
        self.workingDirectory = workingDirectory
    }

    /// The places where the folder `name` is looked for, in order: installed beside the programs, above them, in the
    /// checkout that is the working directory, installed for the whole machine.
    package func candidates(_ name: String) -> [String] {
        var candidates = [
            ((programs as NSString).deletingLastPathComponent as NSString).appendingPathComponent(
                "share/atelier/\(name)")
        ]
        var ancestor = programs
        while ancestor.count > 1 {
            candidates.append(ancestor + "/" + name)
            ancestor = (ancestor as NSString).deletingLastPathComponent
        }
        if FileManager.default.fileExists(atPath: workingDirectory + "/Package.swift") {
            candidates.append(workingDirectory + "/" + name)
        }
        candidates.append("/usr/share/atelier/" + name)
        return candidates.enumerated().filter { !candidates[..<$0.offset].contains($0.element) }.map(\.element)
    }

    /// The first of the candidates that is a folder; nil where none is.
    package func folder(_ name: String) -> String? {
        candidates(name).first { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
    }

    /// For an error: that there is no such folder, and where it was looked for.
    package func absence(of name: String) -> String {
        "there is no folder \(name); looked at \(candidates(name).joined(separator: ", "))"
    }
}
