/// What happens to a connection, for logs and readiness.
package enum ConnectionEvent: Sendable, Equatable {
    /// Connected, topology declared, at work.
    case connected
    /// Not connected; another attempt follows after this wait.
    case lost(BrokerError, retryIn: Duration)
    /// The broker takes no messages for now: it is short of memory or disk.
    case blocked(reason: String)
    /// The broker takes messages again.
    case unblocked
}
