/// What went wrong with the broker: what, where, and what to do about it. No password is ever part of it.
package enum BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The URL, or a file it needs, cannot be used.
    case badAddress(String)
    /// No connection: refused, unreachable, a name that does not resolve, a handshake that failed.
    case unreachable(String)
    /// The broker does not take the user name and password, or not for this virtual host.
    case refusedLogin(String)
    /// The broker closed the channel or the connection, with AMQP's reply code and its text.
    case closed(code: Int, text: String)
    /// An exchange, queue or binding exists with another definition, or may not be made.
    case topology(name: String, code: Int, text: String)
    /// The broker cancelled the consumer: its queue was deleted or moved.
    case queueGone(String)
    /// The connection broke or fell silent.
    case lost(String)
    /// The message was not handed over within the time allowed.
    case timedOut(String)
    /// A message that AMQP cannot carry.
    case badMessage(String)
    /// The consumer or publisher was stopped.
    case stopped

    /// What went wrong and where, in one line; no password in it.
    package var description: String {
        switch self {
        case .badAddress(let what): "the broker's address cannot be used: \(what)"
        case .unreachable(let what): "RabbitMQ cannot be reached: \(what)"
        case .refusedLogin(let what): "RabbitMQ refused the login: \(what); check user, password and virtual host"
        case .closed(let code, let text): "RabbitMQ closed the channel: \(code) \(text)"
        case .topology(let name, 406, let text):
            "\(name) exists with another definition: \(text); delete it there, or choose another prefix"
        case .topology(let name, let code, let text): "\(name) cannot be declared: \(code) \(text)"
        case .queueGone(let name): "RabbitMQ cancelled the consumer of \(name): the queue was deleted or is unavailable"
        case .lost(let what): "the connection to RabbitMQ was lost: \(what)"
        case .timedOut(let what): "RabbitMQ did not take the message in time: \(what)"
        case .badMessage(let what): "the message cannot be sent: \(what)"
        case .stopped: "stopped"
        }
    }
}
