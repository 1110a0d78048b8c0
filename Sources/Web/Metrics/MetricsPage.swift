import Daemon
import Foundation
import Hummingbird
import Jobs

/// `/metrics`: OpenMetrics for who asks for it, Prometheus' text otherwise. Where people sign in it needs a token that
/// sees all tenants.
struct MetricsPage: Sendable {
    let site: Site
    private let counts: EventCounts
    private let dead = DeadCount()

    init(site: Site) {
        self.site = site
        counts = EventCounts(reader: site.reader)
    }

    /// Counts from now on.
    func begin() async { try? await counts.begin() }

    func add(to router: Router<WebContext>) {
        router.get("/metrics") { request, context in
            guard try context.knownViewer().tenant == nil else { throw HTTPError(.forbidden) }
            let isOpen = request.headers[.accept]?.contains("application/openmetrics-text") ?? false
            let form: MetricFamily.Form = isOpen ? .openMetrics : .text
            let text = try await families().map { $0.text(form) }.joined() + (isOpen ? "# EOF\n" : "")
            let type =
                isOpen
                ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                : "text/plain; version=0.0.4; charset=utf-8"
            return Response(
                status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }

    private func families() async throws -> [MetricFamily] {
        let overview = site.overview
        async let counted = counts.families()
        async let waiting = waitingFamilies(overview.queue(nil))
        async let workers = workerFamilies(overview.workers(), overview.cluster(), overview.running(nil))
        async let lacking = overview.withoutWorker()
        let outbox = outboxFamilies(try await overview.outbox())
        var stuck = MetricFamily(
            name: "atelier_jobs_without_worker", kind: .gauge,
            help: "Waiting jobs that no living worker can do, by model and what is lacking.")
        let models = Dictionary(grouping: try await lacking) {
            [$0["model"]?.string ?? "", $0["lacks"]?.string ?? ""]
        }
        for (names, rows) in models.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            stuck.add(rows.compactMap { $0["jobs"]?.double }.reduce(0, +), ["model": names[0], "lacks": names[1]])
        }
        return try await waiting + workers + [stuck] + outbox + diskFamilies() + deadFamilies() + counted
    }

    private func waitingFamilies(_ queue: [JSONValue]) -> [MetricFamily] {
        var jobs = MetricFamily(
            name: "atelier_jobs", kind: .gauge, help: "Jobs that have not ended, by kind and state.")
        var oldest = MetricFamily(
            name: "atelier_oldest_waiting_seconds", kind: .gauge,
            help: "Age of the oldest job that is ready, by kind; 0 where none waits.", unit: "seconds")
        for kind in JobKind.allCases {
            for state in JobState.allCases where !state.isFinal {
                let row = queue.first { $0["kind"]?.string == kind.rawValue && $0["state"]?.string == state.rawValue }
                jobs.add(row?["jobs"]?.double ?? 0, ["kind": kind.rawValue, "state": state.rawValue])
                if state == .available {
                    oldest.add(row?["oldest_seconds"]?.double ?? 0, ["kind": kind.rawValue])
                }
            }
        }
        return [jobs, oldest]
    }

    private func workerFamilies(
        _ workers: [JSONValue], _ cluster: JSONValue, _ running: [JSONValue]
    ) -> [MetricFamily] {
        let here = workers.filter { $0["gone_at"]?.string == nil }
        let living = here.filter { !site.overview.liveness($0).isSilent }
        var daemons = MetricFamily(
            name: "atelier_daemons", kind: .gauge,
            help: "Daemons that have not left, by whether they give signs of life.")
        daemons.add(Double(living.count), ["state": "living"])
        daemons.add(Double(here.count - living.count), ["state": "silent"])
        var faults = MetricFamily(
            name: "atelier_daemon_faults", kind: .gauge,
            help: "Living daemons that start no new work though nobody paused them, by why.")
        for fault in HostFault.allCases {
            faults.add(
                Double(living.count { site.overview.liveness($0).fault == fault }), ["fault": fault.rawValue])
        }
        var slots = MetricFamily(name: "atelier_slots", kind: .gauge, help: "Slots of living daemons, by use.")
        let (all, used) = ["slots", "running"].map { name in
            living.compactMap { $0[name]?.double }.reduce(0, +)
        }.pair
        slots.add(used, ["use": "running"])
        slots.add(max(0, all - used), ["use": "free"])
        var paused = MetricFamily(
            name: "atelier_paused", kind: .gauge, help: "Whether the daemons start no new work: 1 or 0.")
        paused.add(cluster["paused"] == .bool(true) ? 1 : 0)
        var memory = MetricFamily(
            name: "atelier_engine_peak_memory_bytes", kind: .gauge,
            help: "The most memory a running job's engine took, the largest of each kind.", unit: "bytes")
        for (kind, rows) in Dictionary(grouping: running, by: { $0["kind"]?.string ?? "" }) {
            if let most = rows.compactMap({ $0["peak_memory_bytes"]?.double }).max() {
                memory.add(most, ["kind": kind])
            }
        }
        return [daemons, faults, slots, paused, memory]
    }

    private func outboxFamilies(_ outbox: JSONValue) -> [MetricFamily] {
        var messages = MetricFamily(
            name: "atelier_outbox_messages", kind: .gauge, help: "Messages that wait to leave, or were set aside.")
        messages.add(outbox["waiting"]?.double ?? 0, ["state": "waiting"])
        messages.add(outbox["set_aside"]?.double ?? 0, ["state": "set_aside"])
        var oldest = MetricFamily(
            name: "atelier_outbox_oldest_seconds", kind: .gauge,
            help: "Age of the oldest message that waits to leave; 0 where none does.", unit: "seconds")
        oldest.add(outbox["oldest_seconds"]?.double ?? 0)
        return [messages, oldest]
    }

    private func diskFamilies() async throws -> [MetricFamily] {
        var free = MetricFamily(
            name: "atelier_disk_free_bytes", kind: .gauge, help: "Free space where artifacts and checkpoints lie.",
            unit: "bytes")
        if let bytes = Self.freeBytes(at: site.artifacts.root) { free.add(bytes) }
        var kept = MetricFamily(
            name: "atelier_storage_bytes", kind: .gauge,
            help: "What takes the disk: artifacts by role, tables by name.",
            unit: "bytes")
        for row in try await site.overview.storage() {
            let parts = (row["what"]?.string ?? "").split(separator: ": ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            kept.add(row["bytes"]?.double ?? 0, ["what": parts[0], "name": parts[1]])
        }
        return [free, kept]
    }

    /// What an unprivileged process may still write there; nil where that cannot be asked.
    private static func freeBytes(at path: String) -> Double? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Double(status.f_bavail) * Double(status.f_frsize)
    }

    /// Asked of the broker at most twice a minute; absent where nobody may ask.
    private func deadFamilies() async -> [MetricFamily] {
        guard let letters = site.deadLetters else { return [] }
        let count = await dead.count(of: letters)
        var up = MetricFamily(
            name: "atelier_broker_up", kind: .gauge, help: "Whether RabbitMQ answered this program: 1 or 0.")
        up.add(count == nil ? 0 : 1)
        guard let count else { return [up] }
        var dead = MetricFamily(
            name: "atelier_dead_letters", kind: .gauge, help: "Messages that the broker gave up on.")
        dead.add(Double(count))
        return [up, dead]
    }
}

/// How many dead letters there are, for half a minute.
private actor DeadCount {
    private var found: (count: Int?, at: ContinuousClock.Instant)?

    func count(of letters: DeadLetters) async -> Int? {
        if let found, found.at + .seconds(30) > .now { return found.count }
        let count = try? await letters.list(limit: 0).waiting
        found = (count, .now)
        return count
    }
}

extension [Double] {
    /// Two numbers.
    fileprivate var pair: (Double, Double) { (self[0], self[1]) }
}
