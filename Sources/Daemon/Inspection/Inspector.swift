import Foundation
import Jobs
import Logging

/// Has an engine look into messages before they become jobs: a child of the daemon, started when the first one comes
/// and again when it has ended. Strangers' pictures are decoded there and nowhere in the daemon.
///
/// Ask for one message after the other. A message that ends the child is tried once more with a new one; what cannot be
/// looked into in time becomes a job all the same, with a warning, and its attempt finds what is wrong with it.
package actor Inspector {
    /// What became of a question.
    private enum Answer {
        case report(InspectionReport)
        case ended, late
    }

    private let command: EngineCommand
    private let logger: Logger
    private var process: EngineProcess?
    private var isReady = false
    private var isClosed = false
    private var number = 0
    private var waiting: (id: Int, continuation: CheckedContinuation<Answer, Never>)?
    /// Until then no child is started: the last ones did not even begin.
    private var restsUntil = ContinuousClock.now
    private var backoff = Backoff()

    /// An inspector whose child is started by `command`.
    package init(command: EngineCommand, logger: Logger) { (self.command, self.logger) = (command, logger) }

    /// Looks into what an order holds; nil where nobody could.
    package func inspect(_ order: InspectionOrder) async -> InspectionReport? {
        for _ in 1...2 {
            guard await start() else { return nil }
            switch await ask(order) {
            case .report(let report): return report
            case .ended: note("inspection ended with its engine")
            case .late:
                note("inspection took too long")
                return nil
            }
            if isClosed { return nil }
        }
        return nil
    }

    /// Ends the child; what waits for it is not looked into any more.
    package func close() {
        isClosed = true
        process?.kill()
        answer(.ended)
    }

    // MARK: - The child

    /// As long as a child may take until it is ready.
    private static let patience: Duration = .seconds(20)

    /// Starts a child unless one is ready; gives whether one is.
    private func start() async -> Bool {
        if isReady { return true }
        guard ContinuousClock.now >= restsUntil, !isClosed else { return false }
        do {
            let command = command
            let process = try await runBlocking { try EngineProcess(command) }
            self.process = process
            Task { await read(process) }
            if case .report = await answer(to: 0, within: Self.patience), !isClosed {
                isReady = true
                backoff = Backoff()
                return true
            }
            process.kill()
        } catch {
            logger.error("no engine can be started for inspections", metadata: ["error": "\(error)"])
        }
        process = nil
        restsUntil = .now + backoff.next()
        logger.warning("messages are not inspected for a while: their jobs find what is wrong with them")
        return false
    }

    private func read(_ process: EngineProcess) async {
        do {
            for try await line in process.lines {
                process.handled()
                guard let report = try? InspectionReport(line: line) else { break }
                if waiting?.id == report.id { answer(.report(report)) }
            }
        } catch { logger.warning("an inspection's answer is no line", metadata: ["error": "\(error)"]) }
        process.kill()
        guard self.process === process else { return }
        (self.process, isReady) = (nil, false)
        answer(.ended)
    }

    private func ask(_ order: InspectionOrder) async -> Answer {
        guard let process else { return .ended }
        number += 1
        var order = order
        order.id = number
        // Sent beside the wait: a child that does not read must not keep the clock from running.
        let sending = order
        Task { try? await runBlocking { try process.send(sending) } }
        let answer = await answer(to: number, within: Self.patience + .seconds(2) * order.pictures.count)
        if case .late = answer {
            process.kill()
            if self.process === process { (self.process, isReady) = (nil, false) }
        }
        return answer
    }

    private func answer(to id: Int, within limit: Duration) async -> Answer {
        let clock = Task {
            try await Task.sleep(for: limit)
            if waiting?.id == id { answer(.late) }
        }
        defer { clock.cancel() }
        return await withCheckedContinuation { waiting = (id, $0) }
    }

    private func answer(_ answer: Answer) {
        guard let waiting else { return }
        self.waiting = nil
        waiting.continuation.resume(returning: answer)
    }

    private func note(_ message: Logger.Message) {
        if !isClosed { logger.warning(message) }
    }
}

extension EngineCommand {
    /// The child that looks into messages.
    static func inspection(_ settings: Settings, environment: [String: String]) -> EngineCommand {
        EngineCommand(
            executable: settings.engine, arguments: ["inspect", "--models", settings.modelsDirectory],
            environment: EngineCommand.environment(
                of: environment, threads: 1, temporary: settings.workspacesDirectory),
            directory: settings.workspacesDirectory, log: settings.logsDirectory + "/inspection.log", niceness: 0,
            reserveMiB: inspectionMiB)
    }

    /// The largest picture takes 600 MiB while it is decoded; OpenBLAS reserves some when it loads.
    private static let inspectionMiB = 2048
}

extension EngineProcess {
    /// Writes an order and its pictures to its stdin.
    func send(_ order: InspectionOrder) throws {
        try send(order.line)
        for picture in order.pictures { try write(picture.data) }
    }
}
