import Foundation
import Jobs

/// A question that an engine answers with one line of JSON, and ends.
struct EngineQuestion: Sendable {
    let command: EngineCommand
    /// Seconds it may take.
    let patience: Double

    /// `ENGINE word arguments…`.
    /// - Parameter threads: 0 leaves them to the engine.
    init(
        _ word: String, of arguments: [String] = [], _ settings: Settings, environment: [String: String], threads: Int,
        patience: Double
    ) {
        command = EngineCommand(
            executable: settings.engine, arguments: [word] + arguments,
            environment: EngineCommand.environment(
                of: environment, threads: threads, temporary: settings.inspectionDirectory),
            // A folder of this host's own: the shared ones may hang, and may not be there yet.
            directory: settings.inspectionDirectory, log: settings.logsDirectory + "/\(word).log", niceness: 0)
        self.patience = patience
    }

    /// What it answers; nil where it says nothing that can be read in time.
    func answer<Answer: Decodable>(_ type: Answer.Type) async -> Answer? { await reply(type).answer }

    /// What it answers, and how it ended; nil where it could not be started.
    func reply<Answer: Decodable>(_ type: Answer.Type) async -> (answer: Answer?, exit: EngineExit?) {
        guard let process = try? EngineProcess(command) else { return (nil, nil) }
        process.closeInput()
        let clock = Task {
            try await Task.sleep(for: .seconds(patience))
            process.kill()
        }
        defer { clock.cancel() }
        return await withTaskCancellationHandler {
            var answer: Answer?
            do {
                for try await line in process.lines {
                    answer = answer ?? (try? JSONDecoder().decode(Answer.self, from: line))
                    process.handled()
                }
            } catch { process.kill() }
            return (answer, await process.exit())
        } onCancel: {
            process.kill()
        }
    }
}
