import Broker
import ServiceLifecycle

/// Sends what transactions decided to emit: each message until the broker confirms it, always under the same message
/// id. Progress and metrics go beside it, without a guarantee.
///
/// What was tried in vain before, and what is large, goes by a connection of its own, one at a time: a message the
/// broker will not take closes that channel, and holds up nobody else's outcome.
struct OutboxPublisher: Service {
    let fresh: OutboxSender
    let doubtful: OutboxSender
    let live: LiveEvents
    let signals: AsyncStream<Void>

    func run() async throws {
        let (doubts, doubt) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        fresh.publisher.start()
        doubtful.publisher.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sendLive() }
            group.addTask { for await _ in doubts where !Task.isCancelled { await doubtful.sendWaiting() } }
            await cancelWhenGracefulShutdown {
                for await _ in signals {
                    await fresh.sendWaiting()
                    doubt.yield()
                    if Task.isCancelled { break }
                }
            }
            // The last jobs have ended by now; their outcomes should leave with us, if the broker is there.
            await fresh.sendWaiting(until: .now + .seconds(5))
            live.finish()
            doubt.finish()
            group.cancelAll()
            // Ends what waits for an answer.
            await fresh.publisher.stop()
            await doubtful.publisher.stop()
        }
    }

    private func sendLive() async {
        for await event in live.stream where !Task.isCancelled && fresh.publisher.obstacle == nil {
            _ = await fresh.publisher.publish([fresh.outgoing(event)], within: .seconds(5))
        }
    }
}
