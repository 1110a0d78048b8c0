import ArgumentParser
import Catalogue
import Daemon
import Foundation
import Hashing
import Jobs

/// A job's JSON as people write it: in a file or on stdin, with pictures named by the files beside it.
struct JobFile {
    private let file: String
    private let pictures: PictureFiles
    /// The body, its pictures inside.
    let body: JSONValue
    let spec: JobSpec
    /// What this host's engine found in it; nil where it was not asked, or could not say.
    let report: InspectionReport?
    /// What its sender should know, though it can be done.
    let warnings: [String]

    /// Reads `file`, `-` being stdin, holds it against this host's models and has its engine look into it; says
    /// everything that is wrong with it at once, problem by problem.
    /// - Parameters:
    ///   - settings: where the models and the engine are; without them any model will do, and no engine looks.
    ///   - amend: may add to the body what the command was given beside it.
    ///   - adapters: tells those of the concepts that the job mentions, for what they weigh is counted.
    ///   - proxies: what is wrong with those that it takes from other jobs, by this host's models, and which are not
    ///     drawn yet.
    ///   - explain: may say more of the problems.
    /// - Throws: `ExitStatus`.
    init(
        _ file: String, for settings: Settings? = nil, amending amend: (JSONValue) -> JSONValue = { $0 },
        adapters: (JobSpec) async -> [String: InspectionOrder.Adapter] = { _ in [:] },
        proxies: (JobSpec, ModelChoice) async -> (problems: [Problem], warnings: [String]) = { _, _ in ([], []) },
        explaining explain: ([Problem]) async -> [Problem] = { $0 }
    ) async throws {
        var read = try Self.body(in: file)
        read.body = amend(read.body)
        let models = settings.map { ModelChoice.installed(in: $0) } ?? .any
        let reading = Self.reading(read.body, models: models)
        var report: InspectionReport?
        var stored: (problems: [Problem], warnings: [String]) = ([], [])
        if let settings {
            var known: [String: InspectionOrder.Adapter] = [:]
            if let spec = reading.spec { (known, stored) = (await adapters(spec), await proxies(spec, models)) }
            report = await JobInspection.report(on: read.body, adapters: known, settings)
        }
        let further = (report?.furtherProblems(beside: reading.problems) ?? []) + stored.problems
        let problems = read.pictures.refused + (reading.problems + further).map { read.pictures.naming($0) }
        guard let spec = reading.spec, problems.isEmpty, read.pictures.unreadable.isEmpty else {
            throw Self.refusal(of: file, await explain(problems), read.pictures.unreadable)
        }
        (self.file, pictures, body, self.spec, self.report) = (file, read.pictures, read.body, spec, report)
        warnings = (report?.warnings ?? []) + stored.warnings
    }

    /// Says what its sender should know, though it can be done.
    func tellWarnings() { for warning in warnings { Terminal.note("warning: " + printable(pictures.naming(warning))) } }

    /// Refuses what this host's engine has not the memory for: it would end amid the work, and lose it. Says so of what
    /// may not fit.
    /// - Throws: `ExitStatus`.
    func checkMemory(_ settings: Settings) throws {
        guard let cost = report?.cost else { return }
        let memory = MemoryProblem(cost, here: settings.engineMemoryBytes)
        if let problem = memory.problem { throw Self.refusal(of: file, [problem]) }
        if let warning = memory.warning { Terminal.note("warning: " + printable(warning)) }
    }

    /// Refuses what `out` has not the room for: it would end amid the work, at a checkpoint that cannot be written.
    /// - Throws: `ExitStatus`.
    func checkRoom(in out: String) throws {
        guard let cost = report?.cost,
            let shortage = FreeDisk(of: OutputPlace.nearest(to: out)).shortage(for: cost)
        else { return }
        Terminal.note(
            """
            atelierctl: \(printable(out)) has no room for the job: \(shortage); make room there, or give another --out
            """)
        throw ExitStatus.unwritten
    }

    /// The job that a body is of, or what is wrong with it.
    private static func reading(_ body: JSONValue, models: ModelChoice) -> (spec: JobSpec?, problems: [Problem]) {
        do { return (try JobSpec(body, models: models), []) } catch { return (nil, problems(in: error)) }
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

    /// The body with the pictures inside that it names, and which files those are.
    private static func body(in file: String) throws -> (body: JSONValue, pictures: PictureFiles) {
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
        var pictures = PictureFiles(of: file)
        if let images = members["images"]?.array {
            members["images"] = .array(images.enumerated().map { pictures.embed($1, at: "/images/\($0)") })
        }
        return (.object(members), pictures)
    }
}

extension ModelChoice {
    /// The models of this host, which a job is held against as the daemon holds it; any where none can be listed.
    static func installed(in settings: Settings) -> ModelChoice {
        (try? ModelCatalogue(directory: settings.modelsDirectory)).map(\.choice) ?? .any
    }
}
