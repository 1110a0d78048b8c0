import Broker
import ServerTesting

/// A broker, a topology of the test's own, and messages for it.
struct Stage {
    let servers: Servers
    let address: BrokerAddress
    let names: TopologyNames
    var topology: Topology { .atelier(names) }

    /// On the shared broker, or on `servers`.
    init(_ servers: Servers? = nil) async throws {
        if let servers { self.servers = servers } else { self.servers = try await Servers.running() }
        address = try BrokerAddress(url: self.servers.amqpURL)
        names = TopologyNames(prefix: self.servers.makeTopologyPrefix())
    }

    func publisher(_ witness: Witness = Witness()) -> Publisher {
        let publisher = Publisher(address, topology: topology, report: witness.report)
        publisher.start()
        return publisher
    }

    func consumer(
        _ witness: Witness = Witness(), prefetch: UInt16 = 32, maximumBodyBytes: Int = 64 << 20,
        heldBytes: Int = .max, isPaused: Bool = false
    ) -> Consumer {
        let consumer = Consumer(
            address, source: .queue(names.jobs), topology: topology, prefetch: prefetch,
            maximumBodyBytes: maximumBodyBytes, heldBytes: heldBytes, isPaused: isPaused, report: witness.report)
        consumer.start()
        return consumer
    }

    func job(_ id: String, body: [UInt8] = Array("{}".utf8), headers: [String: FieldValue] = [:]) -> OutgoingMessage {
        OutgoingMessage(
            exchange: names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(
                contentType: "application/json", messageID: id, type: "generate", headers: headers), body: body)
    }
}

extension Consumer {
    /// The next `count` deliveries.
    func next(_ count: Int = 1) async -> [Delivery] {
        var found: [Delivery] = []
        for await delivery in deliveries {
            found.append(delivery)
            if found.count == count { break }
        }
        return found
    }
}
