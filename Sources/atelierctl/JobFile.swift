import ArgumentParser
import Catalogue
import Daemon
import Foundation
import Jobs

/// A job's JSON as people write it: in a file or on stdin, with pictures named by the files beside it.
struct JobFile {
    /// The body, its pictures inside.
    let body: JSONValue
    let spec: JobSpec

    /// Reads `file`, `-` being stdin; says what is wrong with it, problem by problem.
    /// - Parameters:
    ///   - models: that it may be done with.
    ///   - explain: may say more of the problems.
    /// - Throws: `ExitStatus`.
    init(_ file: String, models: ModelChoice, explaining explain: ([Problem]) async -> [Problem]) async throws {
        body = try Self.body(in: file)
        do { spec = try JobSpec(body, models: models) } catch let problems as Problems {
            throw Self.refusal(of: file, Problems(await explain(problems.list)))
        } catch { throw Self.refusal(of: file, error) }
    }

    /// The same without more words.
    /// - Throws: `ExitStatus`.
    init(_ file: String, models: ModelChoice = .any) throws {
        body = try Self.body(in: file)
        do { spec = try JobSpec(body, models: models) } catch { throw Self.refusal(of: file, error) }
    }

    private static func refusal(of file: String, _ error: any Error) -> ExitCode {
        Terminal.note(
            "atelierctl: \(printable(file)) is not a job:\n"
                + "\(error)".split(separator: "\n").map { "  " + printable(String($0)) }.joined(separator: "\n"))
        return ExitStatus.badInput
    }

    private static func body(in file: String) throws -> JSONValue {
        guard
            let data = file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
        else {
            Terminal.note("atelierctl: \(printable(file)) cannot be read")
            throw ExitStatus.notFound
        }
        let value: JSONValue
        // As strictly as the daemon reads messages: what it would refuse is not mended on the way.
        do { value = try JobSpec.parsed(data) } catch { throw refusal(of: file, error) }
        guard case .object(var members) = value else {
            Terminal.note("atelierctl: \(printable(file)) is not a JSON object")
            throw ExitStatus.badInput
        }
        if let images = members["images"]?.array {
            let folder = file == "-" ? "." : (file as NSString).deletingLastPathComponent
            let missing = images.compactMap { JobFile.path(of: $0, folder) }.filter { access($0, R_OK) != 0 }
            guard missing.isEmpty else {
                for path in missing { Terminal.note("atelierctl: the picture \(printable(path)) cannot be read") }
                throw ExitStatus.notFound
            }
            members["images"] = .array(try images.map { try JobFile.embedded($0, folder) })
        }
        return .object(members)
    }

    /// The file that a picture is in; nil where the job has it, or nothing that is one.
    private static func path(of image: JSONValue, _ folder: String) -> String? {
        guard let name = image["file"]?.string, image["data"] == nil else { return nil }
        return name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    }

    private static func embedded(_ image: JSONValue, _ folder: String) throws -> JSONValue {
        guard case .object(var members) = image, let path = path(of: image, folder) else { return image }
        guard let data = FileManager.default.contents(atPath: path) else {
            Terminal.note("atelierctl: the picture \(printable(path)) cannot be read")
            throw ExitStatus.notFound
        }
        // What else is said stays: what is misspelt is told like everything in a message.
        members["file"] = nil
        members["data"] = .string(data.base64EncodedString())
        return .object(members)
    }
}

extension ModelChoice {
    /// The models of this host, which a job is held against as the daemon holds it; any where none can be listed.
    static func installed(in settings: Settings) -> ModelChoice {
        (try? ModelCatalogue(directory: settings.modelsDirectory)).map { ModelChoice($0.usable) } ?? .any
    }
}
