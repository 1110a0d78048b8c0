import ArgumentParser
import Catalogue
import Daemon
import Foundation
import Jobs

/// A job's JSON as people write it: in a file or on stdin, with pictures named by the files beside it.
struct JobFile {
    private let file: String
    /// The body, its pictures inside.
    let body: JSONValue
    let spec: JobSpec
    /// What this host's engine found in it; nil where it was not asked, or could not say.
    let report: InspectionReport?

    /// Reads `file`, `-` being stdin, holds it against this host's models and has its engine look into it; says
    /// everything that is wrong with it at once, problem by problem.
    /// - Parameters:
    ///   - settings: where the models and the engine are; without them any model will do, and no engine looks.
    ///   - adapters: tells those of the concepts that the job mentions, for what they weigh is counted.
    ///   - explain: may say more of the problems.
    /// - Throws: `ExitStatus`.
    init(
        _ file: String, for settings: Settings? = nil,
        adapters: (JobSpec) async -> [String: InspectionOrder.Adapter] = { _ in [:] },
        explaining explain: ([Problem]) async -> [Problem] = { $0 }
    ) async throws {
        let read = try Self.body(in: file)
        let reading = Self.reading(read.body, models: settings.map { ModelChoice.installed(in: $0) } ?? .any)
        var report: InspectionReport?
        if let settings {
            var known: [String: InspectionOrder.Adapter] = [:]
            if let spec = reading.spec { known = await adapters(spec) }
            report = await JobInspection.report(on: read.body, adapters: known, settings)
        }
        let problems = (reading.problems + (report?.furtherProblems(beside: reading.problems) ?? []))
            .map(Self.withFileNames)
        guard let spec = reading.spec, problems.isEmpty, read.unreadable.isEmpty else {
            throw Self.refusal(of: file, await explain(problems), read.unreadable)
        }
        (self.file, body, self.spec, self.report) = (file, read.body, spec, report)
    }

    /// Says what the engine found that its sender should know, though the job can be done.
    func tellWarnings() {
        for warning in report?.warnings ?? [] { Terminal.note("warning: " + printable(warning)) }
    }

    /// Refuses what this host's engine has not the memory for: it would end amid the work, and lose it.
    /// - Throws: `ExitStatus`.
    func checkMemory(_ settings: Settings) throws {
        guard let cost = report?.cost,
            let problem = MemoryProblem(cost, here: settings.engineMemoryBytes).problem
        else { return }
        throw Self.refusal(of: file, [problem])
    }

    /// The job that a body is of, or what is wrong with it.
    private static func reading(_ body: JSONValue, models: ModelChoice) -> (spec: JobSpec?, problems: [Problem]) {
        do { return (try JobSpec(body, models: models), []) } catch { return (nil, problems(in: error)) }
    }

    /// The problem as it is one of a file, in which pictures may also be named.
    private static func withFileNames(_ problem: Problem) -> Problem {
        guard problem.pointer.hasPrefix("/images/"), !problem.pointer.hasSuffix("/file"),
            problem.allowed.contains("png, data")
        else { return problem }
        let further = problem.allowed.hasPrefix("an object") ? #"{"file": "rex.png"}, or "# : "file, "
        return Problem(problem.pointer, found: problem.found, allowed: further + problem.allowed)
    }

    private static func problems(in error: any Error) -> [Problem] {
        (error as? Problems)?.list ?? [Problem("", found: "\(error)", allowed: "a job")]
    }

    /// Says what is wrong: with the job, and with the pictures it names.
    private static func refusal(of file: String, _ problems: [Problem], _ unreadable: [Problem] = []) -> ExitCode {
        Terminal.note(
            "atelierctl: \(printable(file)) is not a job:\n"
                + (problems + unreadable).map { "  " + printable($0.description) }.joined(separator: "\n"))
        return problems.isEmpty ? ExitStatus.notFound : ExitStatus.badInput
    }

    /// The body with the pictures inside that it names, and which of those cannot be read.
    private static func body(in file: String) throws -> (body: JSONValue, unreadable: [Problem]) {
        guard let data = file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : InputFile.contents(file) else {
            Terminal.note("atelierctl: \(printable(file)) cannot be read")
            throw ExitStatus.notFound
        }
        let value: JSONValue
        // As strictly as the daemon reads messages: what it would refuse is not mended on the way.
        do { value = try JobSpec.parsed(data) } catch { throw refusal(of: file, problems(in: error)) }
        guard case .object(var members) = value else {
            Terminal.note("atelierctl: \(printable(file)) is not a JSON object")
            throw ExitStatus.badInput
        }
        var unreadable: [Problem] = []
        if let images = members["images"]?.array {
            let isPipe = file == "-" || file.hasPrefix("/dev/")
            let folder = isPipe ? "." : file.contains("/") ? (file as NSString).deletingLastPathComponent : ""
            members["images"] = .array(
                images.enumerated().map { index, image in
                    JobFile.embedded(image, at: "/images/\(index)/file", folder, &unreadable)
                })
        }
        return (.object(members), unreadable)
    }

    /// The file that a picture is in; nil where the job has it, or nothing that is one.
    private static func path(of image: JSONValue, _ folder: String) -> String? {
        guard let name = image["file"]?.string, image["data"] == nil else { return nil }
        return name.hasPrefix("/") || folder.isEmpty ? name : folder + "/" + name
    }

    /// The picture with its bytes inside; one that cannot be read stands for any, so that all else is still held to
    /// what is allowed.
    private static func embedded(
        _ image: JSONValue, at pointer: String, _ folder: String, _ unreadable: inout [Problem]
    ) -> JSONValue {
        guard case .object(var members) = image, let path = path(of: image, folder) else { return image }
        // What else is said stays: what is misspelt is told like everything in a message.
        members["file"] = nil
        if let data = InputFile.contents(path) {
            members["data"] = .string(data.base64EncodedString())
        } else {
            unreadable.append(Problem(pointer, found: path, allowed: "a file that is there and can be read"))
            members["artifact"] = .string("sha256:" + String(repeating: "0", count: 64))
        }
        return .object(members)
    }
}

extension ModelChoice {
    /// The models of this host, which a job is held against as the daemon holds it; any where none can be listed.
    static func installed(in settings: Settings) -> ModelChoice {
        (try? ModelCatalogue(directory: settings.modelsDirectory)).map { ModelChoice($0.usable) } ?? .any
    }
}
