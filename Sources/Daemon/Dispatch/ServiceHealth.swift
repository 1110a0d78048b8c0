import Jobs
import Logging
import Store
import Synchronization

/// How the daemon is: which server it has, how many jobs run, whether it is paused or stopping, or its host is at
/// fault. One line of it goes to systemd, each change to the log.
package final class ServiceHealth: Sendable {
    /// A server the daemon works with.
    package enum Server: String, Sendable, CaseIterable {
        /// RabbitMQ.
        case broker
        /// PostgreSQL.
        case store
    }

    private struct State {
        /// The servers that do not answer, and why, as far as that was said.
        var away = Dictionary(uniqueKeysWithValues: Server.allCases.map { ($0, Set<String>()) })
        var running = 0
        var pause = PauseOrder.none
        /// As it was when work was last asked for.
        var lastFault: HostFault?
        var isStopping = false

        /// Nobody asks for work during a pause, nor would learn that the fault is over.
        var fault: HostFault? { pause.isPaused ? nil : lastFault }
    }

    private let state = Mutex(State())
    private let notifier: SystemNotifier
    private let logger: Logger

    /// Begins with both servers away.
    package init(notifier: SystemNotifier, logger: Logger) {
        self.notifier = notifier
        self.logger = logger
    }

    /// A server answers.
    package func found(_ server: Server) {
        if change({ $0.away.removeValue(forKey: server) != nil }) {
            logger.notice("server available", metadata: ["server": "\(server.rawValue)"])
        }
    }

    /// A server does not answer; the daemon works on as far as it can. Each reason is said once.
    package func lost(_ server: Server, _ error: any Error) {
        let reason = "\(error)"
        if change({ $0.away[server, default: []].insert(reason).inserted }) {
            logger.error("server unavailable", metadata: ["server": "\(server.rawValue)", "error": "\(reason)"])
        }
    }

    /// Something came to nothing for want of a server. Where that is known to be away it was said: every service would
    /// say it again every few seconds.
    package func note(_ failure: Logger.Message, without server: Server, _ error: any Error) {
        logger.log(level: has(server) ? .warning : .debug, failure, metadata: ["error": "\(error)"])
    }

    /// As many jobs run now.
    package func running(_ count: Int) {
        change {
            $0.running = count
            return true
        }
    }

    /// The newest order heard of.
    package var pause: PauseOrder { state.withLock { $0.pause } }

    /// New work is held back, or taken again. Gives whether that is a change: an older order is none.
    @discardableResult
    package func apply(_ order: PauseOrder) -> Bool {
        let isChange = change { state in
            guard order.number > state.pause.number else { return false }
            defer { state.pause = order }
            return order.isPaused != state.pause.isPaused
        }
        if isChange { logger.notice("\(order.isPaused ? "paused" : "resumed")") }
        return isChange
    }

    /// Nothing new is started for a fault of this host; nil: it is again.
    package func report(_ fault: HostFault?) {
        change { state in
            defer { state.lastFault = fault }
            return state.lastFault != fault
        }
    }

    /// The drain has begun.
    package func stopping() {
        change {
            $0.isStopping = true
            return true
        }
    }

    /// Whether new work is held back.
    package var isPaused: Bool { state.withLock { $0.pause.isPaused } }
    /// Why nothing new is started though nobody paused it.
    package var fault: HostFault? { state.withLock { $0.fault } }
    /// Whether this server answered last.
    package func has(_ server: Server) -> Bool { state.withLock { $0.away[server] == nil } }

    /// One line: `running 1 job; PostgreSQL away`.
    package var phrase: String {
        state.withLock { state in
            var parts = ["running \(counted(state.running, "job"))"]
            if state.away[.broker] != nil { parts.append("RabbitMQ away") }
            if state.away[.store] != nil { parts.append("PostgreSQL away") }
            if state.pause.isPaused { parts.append("paused") }
            if let fault = state.fault { parts.append(fault.words) }
            if state.isStopping { parts.append("stopping") }
            return parts.joined(separator: "; ")
        }
    }

    @discardableResult
    private func change(_ body: (inout State) -> Bool) -> Bool {
        let hasChanged = state.withLock { body(&$0) }
        if hasChanged { notifier.status(phrase) }
        return hasChanged
    }
}
