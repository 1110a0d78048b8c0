import Foundation
import Jobs

/// Asks an engine, before any job is given to it, which protocol it speaks and what it does.
package struct EngineGreeting: Sendable {
    /// Seconds it may take.
    private static let patience = 20.0

    let command: EngineCommand

    /// The engine of these settings.
    package init(_ settings: Settings, environment: [String: String]) {
        command = EngineCommand(
            executable: settings.engine, arguments: ["protocol"],
            environment: EngineCommand.environment(
                of: environment, threads: 1, temporary: settings.inspectionDirectory),
            // A folder of this host's own: the shared ones may hang, and may not be there yet.
            directory: settings.inspectionDirectory, log: settings.logsDirectory + "/protocol.log", niceness: 0)
    }

    /// What it answers; nil where it says nothing that can be read in time, as engines did before they were asked.
    package func answer() async -> EngineProtocol? {
        guard let process = try? EngineProcess(command) else { return nil }
        process.closeInput()
        let clock = Task {
            try await Task.sleep(for: .seconds(Self.patience))
            process.kill()
        }
        var answer: EngineProtocol?
        do {
            for try await line in process.lines {
                answer = answer ?? (try? JSONDecoder().decode(EngineProtocol.self, from: line))
                process.handled()
            }
        } catch {}
        _ = await process.exit()
        clock.cancel()
        return answer
    }
}
