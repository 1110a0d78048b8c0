import Daemon
import Foundation
import Jobs

/// The files that a job's file names in its pictures' place, so that what is wrong with a picture is said of its file.
struct PictureFiles {
    /// Those that give no picture's bytes.
    private(set) var unreadable: [Problem] = []
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
        guard case .object(var members) = image, let path = path(of: image) else { return image }
        // What else is said stays: what is misspelt is told like everything in a message.
        members["file"] = nil
        if let data = InputFile.contents(path), !data.isEmpty {
            paths[pointer + "/data"] = path
            members["data"] = .string(data.base64EncodedString())
        } else {
            unreadable.append(
                Problem(
                    pointer + "/file", found: "\(path.clipped(to: 300)), \(Self.kind(of: path))",
                    allowed: "a picture's file, from the job's folder or from /"))
            members["artifact"] = .string("sha256:" + String(repeating: "0", count: 64))
        }
        return .object(members)
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
        guard problem.pointer.hasPrefix("/images/"), !problem.pointer.hasSuffix("/file"),
            problem.allowed.contains("png, data")
        else { return problem }
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

    /// The file that a picture is in; nil where the job has it, or nothing that is one.
    private func path(of image: JSONValue) -> String? {
        guard let name = image["file"]?.string, image["data"] == nil else { return nil }
        return name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    }

    /// Where a job's file names a picture whose bytes the body has at a pointer.
    private static func place(_ pointer: String) -> String { String(pointer.dropLast("data".count)) + "file" }

    /// What there is that gives no picture's bytes.
    private static func kind(of path: String) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return "which is not there" }
        if isFolder.boolValue { return "a folder" }
        return access(path, R_OK) == 0 ? "an empty file" : "which may not be read"
    }
}
