import CProcess
import Foundation

/// What an engine reaches of this host's files: programs and libraries, models, and its own job's. Neither the daemon's
/// credentials nor other tenants' pictures are among them, and it connects to nobody.
package struct Confinement: Sendable, Equatable {
    /// Files and folders that may be read.
    package var readable: [String]
    /// Folders that may be written to.
    package var writable: [String]

    /// Describes a confinement.
    package init(readable: [String], writable: [String]) { (self.readable, self.writable) = (readable, writable) }

    /// Whether this kernel can hold an engine to one.
    package static var isPossible: Bool { process_landlock_version() > 0 }

    /// What any program needs: libraries, the processor's and its own description, names of users and time zones.
    private static let system = [
        "/usr", "/lib", "/lib64", "/bin", "/opt", "/proc", "/sys", "/etc/ld.so.cache", "/etc/localtime",
        "/etc/timezone",
        "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
    ]
    private static let devices = ["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]

    /// That of an attempt, once its inputs are in its folder. Blocks.
    static func engine(_ executable: String, models: String, workspace: AttemptWorkspace) -> Confinement {
        var confinement = engine(executable, models: models, writing: workspace.folder)
        confinement.readable += [workspace.jobFolder] + targets(in: workspace.folder + "/inputs")
        return confinement
    }

    /// That of an engine without a job's files, which writes into one folder. Blocks.
    static func engine(_ executable: String, models: String, writing folder: String) -> Confinement {
        let programs = (executable as NSString).resolvingSymlinksInPath
        return Confinement(
            readable: system + libraryFolders + [(programs as NSString).deletingLastPathComponent, models]
                + targets(in: models),
            writable: devices + [folder])
    }

    /// Where this program's own libraries are, an engine's mostly the same: a toolchain may lie anywhere.
    private static let libraryFolders: [String] = {
        let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
        let files = maps.split(separator: "\n").compactMap { $0.firstIndex(of: "/").map($0.suffix(from:)) }
        let named = (ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":")
        let loaded = files.filter { $0.contains(".so") }.map { (String($0) as NSString).deletingLastPathComponent }
        return Array(Set(loaded + named.map(String.init)).subtracting(["/"]))
    }()

    /// Where links in a folder and in the folders in it lead: Landlock goes by where a file is, not by its name.
    private static func targets(in folder: String) -> [String] {
        let entries = names(in: folder).map { "\(folder)/\($0)" }
        return (entries + entries.flatMap { entry in names(in: entry).map { "\(entry)/\($0)" } }).filter(isLink)
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func isLink(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
}

extension Settings {
    /// The folder of the models, where an engine is confined to it and to what is its own; nil: it is not confined.
    var confinedModels: String? { engineConfinement == "files" ? modelsDirectory : nil }
}
