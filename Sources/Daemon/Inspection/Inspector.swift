import Foundation
import Jobs
import Logging

/// Has an engine look into messages before they become jobs: a child of the daemon, started with it and again when it
/// has ended. Strangers' pictures are decoded there and nowhere in the daemon.
///
/// One message after the other is looked into. A message that ends the child is tried once more with a new one; what
/// cannot be looked into in time becomes a job all the same, with a warning, and its attempt finds what is wrong with
/// it. So an engine that does not answer holds a message up for some seconds, and those behind it not at all until it
/// rests.
package actor Inspector {
    /// What became of a question.
    private enum Answer {
        case report(InspectionReport)
        case ended, late
    }

    /// How long who waits for what.
    struct Patience: Sendable {
        /// A message for a child that begins.
        var start: Duration = .seconds(5)
        /// A child until it has begun; then it is given up.
        var beginning: Duration = .seconds(20)
        /// A message for its answer, and more for each of its pictures.
        var answer: Duration = .seconds(5)
        var picture: Duration = .seconds(2)
    }

    /// A child does not begin in time.
    private struct Slow: Error {}

    private let command: EngineCommand
    /// What a child to come is confined to; nil: it reaches everything that its user does.
    private var models: String?
    private let patience: Patience
    private let logger: Logger
    private var process: EngineProcess?
    /// What the child reaches.
    private var confinement: Confinement?
    private var isReady = false
    /// Gives whether it comes to be ready.
    private var beginning: Task<Bool, any Error>?
    /// A message has waited for it in vain: no other does.
    private var isSlow = false
    private var isClosed = false
    private var number = 0
    private var waiting: (id: Int, continuation: CheckedContinuation<Answer, Never>)?
    /// Until then no child is started: the last ones did not even begin.
    private var restsUntil = ContinuousClock.now
    private var backoff = Backoff()
    /// The last that was asked.
    private var last: Task<InspectionReport?, Never>?

    /// An inspector whose child is started by `command`.
    /// - Parameter models: the folder of the models, where the child is to reach nothing of the host's files besides.
    package init(command: EngineCommand, models: String?, logger: Logger) {
        self.init(command: command, models: models, patience: Patience(), logger: logger)
    }

    /// One that says nothing of its own, for a program that asks once, of files that are its user's.
    package init(quietly command: EngineCommand) {
        self.init(
            command: command, models: nil, logger: Logger(label: "inspection") { _ in SwiftLogNoOpLogHandler() })
    }

    /// The same with another patience.
    init(command: EngineCommand, models: String?, patience: Patience, logger: Logger) {
        (self.command, self.models, self.patience, self.logger) = (command, models, patience, logger)
    }

    /// Confines children to come to that folder of models; nil: not any more.
    func confine(to models: String?) { self.models = models }

    /// Ends a child that reaches other files than one would that begins now, unless it is just asked: models came that
    /// are links, or settings changed. The next message has a new one.
    func renew() async {
        let (command, models) = (command, models)
        let found = try? await runBlocking { Inspector.confinement(of: command, to: models) }
        guard isReady, waiting == nil, found != confinement else { return }
        process?.kill()
        (process, isReady) = (nil, false)
    }

    /// Starts a child unless one is there, so that the first message finds it ready.
    package func prepare() {
        guard !isReady, beginning == nil, !isClosed, ContinuousClock.now >= restsUntil else { return }
        beginning = Task { await begin() }
    }

    /// Looks into what an order holds, once those before it were; nil where nobody could.
    package func inspect(_ order: InspectionOrder) async -> InspectionReport? {
        let turn = Task { [last] in
            _ = await last?.value
            return await report(on: order)
        }
        last = turn
        return await turn.value
    }

    private func report(on order: InspectionOrder) async -> InspectionReport? {
        for _ in 1...2 {
            guard await isThere() else { return nil }
            switch await ask(order) {
            case .report(let report):
                backoff.reset()
                return report
            case .ended: note("inspection ended with its engine")
            case .late:
                note("inspection took too long")
                rest()
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

    /// Whether a child is ready, or comes to be within seconds.
    private func isThere() async -> Bool {
        prepare()
        guard let beginning, !isSlow else { return isReady }
        do { return try await value(of: beginning, within: patience.start, or: Slow()) } catch {
            isSlow = self.beginning != nil
            note("no engine is ready for inspections yet: messages do not wait for it")
            return isReady
        }
    }

    /// Starts a child; gives whether it is ready.
    private func begin() async -> Bool {
        defer { (beginning, isSlow) = (nil, false) }
        do {
            let (command, models) = (command, models)
            let (process, confinement) = try await runBlocking {
                var command = command
                command.confinement = Inspector.confinement(of: command, to: models)
                return (try EngineProcess(command), command.confinement)
            }
            (self.process, self.confinement) = (process, confinement)
            Task { await read(process) }
            if case .report = await answer(to: 0, within: patience.beginning), !isClosed {
                isReady = true
                return true
            }
            process.kill()
        } catch {
            logger.error("no engine can be started for inspections", metadata: ["error": "\(error)"])
        }
        process = nil
        rest()
        note("messages are not inspected for a while: their jobs find what is wrong with them")
        return false
    }

    /// Strangers' pictures are decoded there: neither the daemon's credentials nor tenants' pictures are in its reach.
    private static func confinement(of command: EngineCommand, to models: String?) -> Confinement? {
        models.map { Confinement.engine(command.executable, models: $0, writing: command.directory) }
    }

    /// Starts no child for a while.
    private func rest() { restsUntil = .now + backoff.next() }

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
        let answer = await answer(to: number, within: patience.answer + patience.picture * order.pictures.count)
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
    package static func inspection(_ settings: Settings, environment: [String: String]) -> EngineCommand {
        EngineCommand(
            executable: settings.engine, arguments: ["inspect", "--models", settings.modelsDirectory],
            environment: EngineCommand.environment(
                of: environment, threads: 1, temporary: settings.inspectionDirectory),
            directory: settings.inspectionDirectory, log: settings.logsDirectory + "/inspection.log", niceness: 0,
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
