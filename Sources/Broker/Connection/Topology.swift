/// Exchanges, queues and bindings as data; declaring it twice changes nothing.
package struct Topology: Sendable, Equatable {
    /// How an exchange routes.
    package enum ExchangeKind: String, Sendable { case direct, topic, fanout, headers }

    /// A durable exchange.
    package struct Exchange: Sendable, Equatable {
        /// As publishers name it; the empty name is the broker's own exchange.
        package let name: String
        /// How it routes.
        package let kind: ExchangeKind

        /// An exchange of this name and kind.
        package init(_ name: String, _ kind: ExchangeKind) { (self.name, self.kind) = (name, kind) }
    }

    /// A durable queue.
    package struct Queue: Sendable, Equatable {
        /// As consumers name it.
        package let name: String
        /// The broker's `x-` arguments; a queue that is there with others is a
        /// ``BrokerError/topology(name:code:text:)``.
        package let arguments: [String: FieldValue]

        /// A queue of this name, with the broker's `x-` arguments.
        package init(_ name: String, arguments: [String: FieldValue] = [:]) {
            (self.name, self.arguments) = (name, arguments)
        }
    }

    /// What an exchange passes on to a queue.
    package struct Binding: Sendable, Equatable {
        /// Where messages go.
        package let queue: String
        /// Where they come from.
        package let exchange: String
        /// Which of them; a topic exchange takes `*` and `#` in it, a fanout exchange heeds it not.
        package let routingKey: String

        /// `queue` takes what reaches `exchange` under `routingKey`.
        package init(_ queue: String, to exchange: String, routingKey: String) {
            (self.queue, self.exchange, self.routingKey) = (queue, exchange, routingKey)
        }
    }

    /// Declared first.
    package var exchanges: [Exchange]
    /// Declared next, before what is bound to them.
    package var queues: [Queue]
    /// Declared last.
    package var bindings: [Binding]

    /// A topology of these parts.
    package init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }

    /// Atelier's exchanges and queues under these names.
    ///
    /// Intake is a quorum queue whose messages are dead-lettered at least once, for which RabbitMQ wants
    /// `reject-publish`. To look at the dead is to have them delivered: newer RabbitMQs would drop them after twenty
    /// looks if they had no limit of their own.
    package static func atelier(_ names: TopologyNames = .init()) -> Topology {
        Topology(
            exchanges: [
                Exchange(names.exchange, .direct), Exchange(names.events, .topic), Exchange(names.control, .fanout),
                Exchange(names.dead, .fanout),
            ],
            queues: [
                Queue(
                    names.jobs,
                    arguments: [
                        "x-queue-type": "quorum", "x-delivery-limit": 20, "x-dead-letter-exchange": .string(names.dead),
                        "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
                    ]),
                Queue(names.results, arguments: ["x-queue-type": "quorum"]),
                Queue(names.metrics, arguments: ["x-max-length": 10_000, "x-overflow": "drop-head"]),
                Queue(names.dead, arguments: ["x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000]),
            ],
            bindings: [
                Binding(names.jobs, to: names.exchange, routingKey: TopologyNames.jobsRoutingKey),
                Binding(names.dead, to: names.dead, routingKey: ""),
            ]
                + ["completed", "discarded", "cancelled", "rejected"].map {
                    Binding(names.results, to: names.events, routingKey: "*.*.\($0)")
                }
                + ["progress", "metric"].map { Binding(names.metrics, to: names.events, routingKey: "*.*.\($0)") })
    }
}

/// What Atelier's exchanges and queues are called.
package struct TopologyNames: Sendable, Equatable {
    /// The routing key jobs are published under.
    package static let jobsRoutingKey = "jobs"

    /// What every name begins with, and the whole name of the exchange that jobs are published to.
    package let prefix: String

    /// Names that begin with `prefix`.
    package init(prefix: String = "atelier") { self.prefix = prefix }

    /// The exchange clients publish to.
    package var exchange: String { prefix }
    /// The queue of jobs.
    package var jobs: String { prefix + ".jobs" }
    /// The exchange of everything the daemon says.
    package var events: String { prefix + ".events" }
    /// The queue of final outcomes.
    package var results: String { prefix + ".results" }
    /// The queue of progress and metrics.
    package var metrics: String { prefix + ".metrics" }
    /// The exchange of commands to daemons.
    package var control: String { prefix + ".control" }
    /// The exchange and the queue of what the broker gave up on.
    package var dead: String { prefix + ".dead" }
}
