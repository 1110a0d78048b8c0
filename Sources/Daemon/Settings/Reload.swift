import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the settings anew at SIGHUP. What can change while engines run does; the rest is named and waits for the next
/// start. Settings with a problem change nothing.
struct Reload: Service {
    let settings: Settings
    let read: @Sendable () throws -> Settings
    let notifier: SystemNotifier
    let condition: ServiceHealth
    let logger: Logger
    /// Takes what changed.
    let adopt: @Sendable (Settings) async -> Void

    func run() async throws {
        var current = settings
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            notifier.reloading()
            do {
                let found = try read()
                current = current.adopting(found)
                await adopt(current)
                let waiting = current.settingsThatWait(for: found)
                logger.notice(
                    "settings read anew",
                    metadata: waiting.isEmpty ? [:] : ["settings.next_start": "\(waiting.joined(separator: " "))"])
            } catch {
                logger.error("settings not read anew; the old ones hold", metadata: ["error": "\(error)"])
            }
            notifier.ready(status: condition.phrase)
        }
    }
}

extension Settings {
    /// These settings, with what can change while engines run taken from `other`: it holds from the next attempt, poll
    /// or line on.
    func adopting(_ other: Settings) -> Settings {
        var settings = self
        for setting in Self.table where setting.isReloadable { setting.copy(from: other, to: &settings) }
        return settings
    }

    /// Those of `other` that differ from these, by name.
    func settingsThatWait(for other: Settings) -> [String] {
        zip(values { $0.reveal() }, other.values { $0.reveal() }).filter { $0.0.text != $0.1.text }.map(\.0.name)
    }
}
