import Foundation
import Jobs

/// A job's JSON as people write it: in a file or on stdin, with pictures named by the files beside it.
struct JobFile {
    /// The body, its pictures inside.
    let body: JSONValue
    let spec: JobSpec

    /// Reads `file`, `-` being stdin; says what is wrong with it, problem by problem.
    /// - Throws: `ExitStatus`.
    init(_ file: String) throws {
        guard
            let data = file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
        else {
            Terminal.note("atelierctl: \(printable(file)) cannot be read")
            throw ExitStatus.notFound
        }
        guard case .object(var members) = try? JSONValue(json: data) else {
            Terminal.note("atelierctl: \(printable(file)) is not a JSON object")
            throw ExitStatus.badInput
        }
        if let images = members["images"]?.array {
            let folder = file == "-" ? "." : (file as NSString).deletingLastPathComponent
            members["images"] = .array(try images.map { try JobFile.embedded($0, folder) })
        }
        body = .object(members)
        do { spec = try JobSpec(body) } catch {
            Terminal.note(
                "atelierctl: \(printable(file)) is not a job:\n"
                    + "\(error)".split(separator: "\n").map { "  " + printable(String($0)) }.joined(separator: "\n"))
            throw ExitStatus.badInput
        }
    }

    private static func embedded(_ image: JSONValue, _ folder: String) throws -> JSONValue {
        guard let name = image["file"]?.string else { return image }
        let path = name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
        guard let data = FileManager.default.contents(atPath: path) else {
            Terminal.note("atelierctl: the picture \(printable(path)) cannot be read")
            throw ExitStatus.notFound
        }
        var members: [String: JSONValue] = ["data": .string(data.base64EncodedString())]
        members["crop"] = image["crop"]
        return .object(members)
    }
}
