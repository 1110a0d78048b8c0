import Daemon
import Foundation
import Jobs

/// The files that a job's file names in its pictures' place, so that what is wrong with a picture is said of its file.
struct PictureFiles {
    /// Those that give no picture's bytes.
    private(set) var unreadable: [Problem] = []
    /// What is wrong with how they are named, and those that are too large to be read.
    private(set) var refused: [Problem] = []
    private let folder: String
    /// By where the body has their bytes, `/images/0/data`.
    private var paths: [String: String] = [:]

    /// Those beside a job's file; `-` is stdin.
    init(of file: String) {
        let isPipe = file == "-" || file.hasPrefix("/dev/")
        folder = isPipe ? "." : file.contains("/") ? (file as NSString).deletingLastPathComponent : ""
    }

    /// The picture with its bytes inside; one that cannot be read stands for any, so that all else is still held to
    /// what is allowed.
    mutating func embed(_ image: JSONValue, at pointer: String) -> JSONValue {
        guard case .object(var members) = image, let file = members["file"] else { return image }
        // What else is said stays: what is misspelt is told like everything in a message.
        members["file"] = nil
        let others = ["png", "data", "artifact"].filter { members[$0] != nil }
        guard others.isEmpty else {
            refused.append(
                Problem(
                    pointer + "/file", found: "a file beside \(others.joined(separator: ", "))",
                    allowed: "one of them: atelierctl reads the file, and puts it in data's place"))
            return .object(members)
        }
        if let (path, data) = contents(of: file, at: pointer + "/file") {
            paths[pointer + "/data"] = path
            members["data"] = .string(data.base64EncodedString())
        } else {
            members["artifact"] = .string("sha256:" + String(repeating: "0", count: 64))
        }
        return .object(members)
    }

    /// A file's path and bytes; nil, with the problem kept, where it gives no picture's.
    private mutating func contents(of file: JSONValue, at pointer: String) -> (path: String, data: Data)? {
        guard let name = file.string else {
            refused.append(
                Problem(pointer, found: file.brief, allowed: "a file's name, which atelierctl reads: \"rex.png\""))
            return nil
        }
        let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
        let size = Self.size(of: path)
        if let size, let excess = ImageSource.excess(of: size, at: pointer) {
            refused.append(Problem(pointer, found: "\(path), \(excess.found)", allowed: excess.allowed))
            return nil
        }
        guard size != nil, let data = InputFile.contents(path), !data.isEmpty else {
            unreadable.append(
                Problem(
                    pointer, found: "\(path.clipped(to: 300)), \(Self.kind(of: path, isRegular: size != nil))",
                    allowed: "a picture's file, from the job's folder or from /"))
            return nil
        }
        return (path, data)
    }

    /// The problem as it is one of a file, in which pictures may also be named.
    func naming(_ problem: Problem) -> Problem {
        if let path = paths[problem.pointer] {
            return Problem(
                Self.place(problem.pointer), found: "\(path), \(problem.found)", allowed: problem.allowed)
        }
        if problem.pointer.hasSuffix("/crop"), let path = paths["\(problem.pointer.dropLast("crop".count))data"] {
            return Problem(problem.pointer, found: "\(path), \(problem.found)", allowed: problem.allowed)
        }
        guard problem.pointer.hasPrefix("/images/"), problem.allowed.contains("png, data") else { return problem }
        let further = problem.allowed.hasPrefix("an object") ? #"{"file": "rex.png"}, or "# : "file, "
        return Problem(problem.pointer, found: problem.found, allowed: further + problem.allowed)
    }

    /// The warning as it is one of a file, which it names.
    func naming(_ warning: String) -> String {
        guard let end = warning.firstRange(of: ": ")?.lowerBound, let path = paths[String(warning[..<end])] else {
            return warning
        }
        return "\(Self.place(String(warning[..<end]))): \(path)\(warning[end...])"
    }

    /// Where a job's file names a picture whose bytes the body has at a pointer.
    private static func place(_ pointer: String) -> String { String(pointer.dropLast("data".count)) + "file" }

    /// The bytes of a regular file; nil of all else: a pipe may never begin, and a device never end.
    private static func size(of path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// What there is that gives no picture's bytes.
    private static func kind(of path: String, isRegular: Bool) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "which is not there" }
        if isFolder.boolValue { return "a folder" }
        guard isRegular else { return "a pipe or a device" }
        return access(path, R_OK) == 0 ? "an empty file" : "which may not be read"
    }
}
