import Foundation
import Jobs

/// What happened since this program began, counted from the tables' own history as it is asked for: so that counters
/// only grow, whatever is retried, deleted or pruned meanwhile.
actor EventCounts {
    private let reader: Reader
    private var last: Int?
    private var events: [[String]: Double] = [:]
    /// Those of the events that a reading has told. What a series begins with is no increase to Prometheus: it begins
    /// at 0, or the first failures with a code would raise no alert.
    private var told: Set<[String]> = []
    private var waits: [String: DurationHistogram] = [:]
    private var runs: [String: DurationHistogram] = [:]
    private var processor: [String: Double] = [:]

    init(reader: Reader) { self.reader = reader }

    /// Transactions that are open may still write a smaller number than one that was seen; none lives longer than that.
    private static let settling = "interval '2 seconds'"

    /// Begins now: what was before is not counted.
    func begin() async throws {
        guard last == nil else { return }
        let newest = try await reader.row("select max(number) as number from dashboard.events")?["number"]?.integer
        // Who asked at the same time may have begun meanwhile.
        guard last == nil else { return }
        last = newest ?? 0
        // So that rates are known from the first event on.
        for kind in JobKind.allCases {
            for event in ["accepted", "completed", "discarded", "cancelled", "retrying"] {
                events[[kind.rawValue, event, ""]] = 0
            }
            waits[kind.rawValue] = DurationHistogram()
            runs[kind.rawValue] = DurationHistogram()
            processor[kind.rawValue] = 0
        }
    }

    /// Counts what came, and gives all of it.
    func families() async throws -> [MetricFamily] {
        try await begin()
        while true {
            let rows = try await reader.rows(
                """
                select * from dashboard.events where number > $1::bigint and at < now() - \(Self.settling)
                order by number limit 5000
                """, [String(last ?? 0)])
            // And may have counted some of these.
            for row in rows where (row["number"]?.integer ?? 0) > (last ?? 0) { count(row) }
            last = max(last ?? 0, rows.last?["number"]?.integer ?? 0)
            if rows.count < 5000 { return written }
        }
    }

    private func count(_ row: JSONValue) {
        let kind = row["kind"]?.string ?? ""
        let event = row["event"]?.string ?? ""
        events[[kind, event, row["code"]?.string ?? ""], default: 0] += 1
        processor[kind, default: 0] += row["processor_seconds"]?.double ?? 0
        guard event == "completed" else { return }
        if let seconds = row["wait_seconds"]?.double { waits[kind, default: .init()].add(max(0, seconds)) }
        if let seconds = row["run_seconds"]?.double { runs[kind, default: .init()].add(max(0, seconds)) }
    }

    private var written: [MetricFamily] {
        var counts = MetricFamily(
            name: "atelier_job_events", kind: .counter,
            help: "What happened to jobs since this program began, by kind, event and error code.")
        for (key, value) in events.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let isNew = told.insert(key).inserted
            counts.add(isNew ? 0 : value, ["kind": key[0], "event": key[1], "code": key[2]])
        }
        var wait = MetricFamily(
            name: "atelier_job_wait_seconds", kind: .histogram,
            help: "From created to the last start, of completed jobs.",
            unit: "seconds")
        var run = MetricFamily(
            name: "atelier_job_run_seconds", kind: .histogram,
            help: "From the last start to the end, of completed jobs.",
            unit: "seconds")
        var engine = MetricFamily(
            name: "atelier_engine_processor_seconds", kind: .counter, help: "Processor time of engines, of ended jobs.",
            unit: "seconds")
        for kind in waits.keys.sorted() {
            waits[kind]?.write(to: &wait, kind: kind)
            runs[kind]?.write(to: &run, kind: kind)
            engine.add(processor[kind] ?? 0, ["kind": kind])
        }
        return [counts, wait, run, engine]
    }
}
