import Broker
import Daemon
import Foundation
import Jobs

/// What is looked at in RabbitMQ: the exchange, the queues, and what users may.
extension DoctorChecks {
    /// A message that no queue wants: it comes back if, and only if, we may publish and the exchange is there.
    func broker() async -> Finding {
        await finding("rabbitmq") {
            let address = try settings.broker()
            let publisher = Publisher(address)
            publisher.start()
            let exchange = TopologyNames(prefix: settings.topologyPrefix).exchange
            let outcome = await publisher.publish(
                OutgoingMessage(exchange: exchange, routingKey: "doctor", body: []), within: .seconds(5))
            await publisher.stop()
            guard case .returned = outcome else {
                throw Doctor.Trouble(
                    """
                    \(address): the exchange \(exchange) does not answer: \
                    \(outcome.trouble ?? "it took what nobody wants")
                    """
                )
            }
            return "\(address), exchange \(exchange)"
        }
    }

    /// Messages nobody takes: three looks within three seconds, and they do not become fewer.
    func intake() async -> Finding {
        await finding("intake") {
            let queue = TopologyNames(prefix: settings.topologyPrefix).jobs
            var before = try await length(of: queue)
            for _ in 0..<3 where before > 0 {
                try await Task.sleep(for: .seconds(1))
                let now = try await length(of: queue)
                guard now >= before else { return counted(now, "message", "waits", "wait") + "; they become fewer" }
                before = now
            }
            guard before == 0 else {
                throw Doctor.Trouble(
                    """
                    \(counted(before, "message", "waits", "wait")) in \(queue); they do not become fewer: look at \
                    the daemon and PostgreSQL above, and at the disk below
                    """
                )
            }
            return "no message waits"
        }
    }

    /// How many messages are ready in a queue.
    private func length(of queue: String) async throws -> Int {
        let backlog = Backlog(try settings.broker(), queue: queue, limit: 0)
        backlog.start()
        do { _ = try await backlog.next() } catch {
            await backlog.stop()
            throw error
        }
        await backlog.stop()
        return backlog.waiting
    }

    func deadLetters() async -> Finding {
        await finding("dead letters") {
            let count = try await length(of: TopologyNames(prefix: settings.topologyPrefix).dead)
            guard count == 0 else {
                throw Doctor.Trouble("the broker gave up on \(counted(count, "message")); atelierctl dead list")
            }
            return "none"
        }
    }

    /// What this user needs is tried over AMQP; what others may is asked of rabbitmqctl, where that can be.
    func permissions() async -> Finding {
        await finding("permissions") {
            let address = try settings.broker()
            let publisher = Publisher(address)
            publisher.start()
            let message = OutgoingMessage(exchange: "", routingKey: "\(settings.replyPrefix)._.\(UUID())", body: [])
            let outcome = await publisher.publish(message, within: .seconds(5))
            await publisher.stop()
            guard case .returned = outcome else {
                throw Doctor.Trouble(
                    """
                    \(address.user) cannot send outcomes to reply_to: \
                    \(outcome.trouble ?? "somebody took what is nobody's")
                    """
                )
            }
            return try othersPermissions(address)
        }
    }

    private func othersPermissions(_ address: BrokerAddress) throws -> String {
        let permissions: BrokerPermissions
        do {
            permissions = try BrokerPermissions(of: address, names: TopologyNames(prefix: settings.topologyPrefix))
        } catch { return "this user's; others' were not looked at: \(error)" }
        let operators = TenantRules(settings, user: address.user).operators
        let rules = TenantRules(settings, user: address.user)
        let web = Setup.secret("web-amqp-url", in: folder).flatMap { try? BrokerAddress(url: $0).user }
        let problems = permissions.problems(user: address.user, operators: operators, web: web)
        let lacking = web.map { permissions.lacking(ofWeb: $0, queue: rules.ownQueue(of: $0)) }
        if let lacking, !lacking.isEmpty {
            throw Doctor.Trouble((problems + lacking).joined(separator: ", ") + "; sudo atelierctl setup gives it")
        }
        guard problems.isEmpty else {
            throw Doctor.Trouble(
                problems.joined(separator: ", ") + "; docs/installation.md says what each user needs")
        }
        return "every user's keep tenants apart"
    }

    func probe() async -> Finding {
        await finding("probe") {
            let times = try await ProbeRun(settings, seconds: 10).oneByOne(1)
            guard times.answered == 1 else {
                throw Doctor.Trouble("no answer within 10 s; the checks above say where it stays")
            }
            return times.line
        }
    }
}
