import Foundation
import Hummingbird
import Jobs

/// The first page: what waits, what runs and who does it, how fast it goes; live.
struct QueuePage: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/") { request, context in
            let viewer = try context.knownViewer()
            var model = site.frame(viewer, section: "queue", title: "Queue")
            model.merge(try await live(viewer)) { $1 }
            return try site.templates.html(request.isPart ? "queue-live" : "queue", model)
        }
        router.post("/pause") { _, context in
            let viewer = try context.actingViewer()
            guard viewer.tenant == nil else { throw HTTPError(.forbidden) }
            let admin = try site.acting()
            let isPause = context.form["paused"] == "true"
            _ = try await admin.order(paused: isPause)
            await site.overview.forgetOrders()
            site.logger.notice(
                "the daemons were told to \(isPause ? "pause" : "resume")",
                metadata: ["web.viewer": "\(viewer.name ?? "anybody")"])
            return Response.redirect(to: "/", type: .normal)
        }
    }

    /// Makes the page for nobody, so that what it needs is at hand.
    func draw() async throws {
        let viewer = Viewer(name: nil, mayAct: true, tenant: nil, formToken: "")
        let model = site.frame(viewer, section: "queue", title: "Queue").merging(try await live(viewer)) { $1 }
        _ = try site.templates.text("queue", model)
    }

    private func live(_ viewer: Viewer) async throws -> [String: Any] {
        let overview = site.overview
        async let queue = overview.queue(viewer.tenant)
        async let running = overview.running(viewer.tenant)
        async let workers = overview.workers()
        async let cluster = overview.cluster()
        async let lacking = overview.withoutWorker()
        async let latency = overview.latency()
        async let throughput = overview.throughput()
        let seesAll = viewer.tenant == nil
        let counts = try await queue
        let latencies = try await latency
        let living = try await workers.filter { $0["lives"] == .bool(true) }
        let hours = seesAll ? try await throughput : []
        let outbox = seesAll ? try await overview.outbox() : .null
        return [
            "tiles": Self.tiles(counts), "kinds": Self.kinds(counts),
            "running": try await running.map(runningModel),
            "workers": living.map(workerModel), "has_workers": !living.isEmpty,
            "is_paused": try await cluster["paused"] == .bool(true),
            "lacking": seesAll ? LackingWorker.models(try await lacking) : [],
            "latency": seesAll ? latencies.map(Self.latencyModel) : [],
            "throughput": HourBars(hours: Self.hours(hours)).svg ?? NSNull(),
            "outbox_words": counted(outbox["waiting"]?.integer ?? 0, "message", "waits", "wait"),
            "set_aside_words": counted(outbox["set_aside"]?.integer ?? 0, "message", "was", "were"),
            "has_set_aside": (outbox["set_aside"]?.integer ?? 0) > 0, "sees_all": seesAll,
        ]
    }

    private static func tiles(_ counts: [JSONValue]) -> [[String: Any]] {
        let names: KeyValuePairs<JobState, String> = [
            .available: "waiting", .running: "running", .scheduled: "scheduled", .retryable: "to be retried",
        ]
        return names.map { state, name in
            let rows = counts.filter { $0.jobState == state }
            let jobs = rows.compactMap { $0["jobs"]?.integer }.reduce(0, +)
            let oldest = rows.compactMap { $0["oldest_seconds"]?.double }.max()
            return [
                "state": state.rawValue, "name": name, "jobs": jobs, "is_none": jobs == 0,
                "oldest": oldest.map { "oldest " + Figures.duration($0) } ?? "none",
            ]
        }
    }

    private static func kinds(_ counts: [JSONValue]) -> [[String: Any]] {
        counts.filter { $0.jobState == .available }.map { row in
            [
                "kind": row["kind"]?.string ?? "", "jobs": row["jobs"]?.integer ?? 0,
                "oldest": Figures.duration(row["oldest_seconds"]?.double ?? 0),
            ]
        }
    }

    private func runningModel(_ row: JSONValue) -> [String: Any] {
        var model = row.members
        model["short"] = String((row["job"]?.string ?? "").prefix(8))
        model["percent"] = row["percent"]?.double.map { String(Int($0)) } ?? NSNull()
        model["since"] = Figures.duration(row["seconds"]?.double ?? 0)
        model["eta"] = row["eta_seconds"]?.double.map { Figures.duration(max(0, $0)) } ?? NSNull()
        model["eta_is_of_stage"] = row["eta_of"] == "stage"
        model["memory"] = row["peak_memory_bytes"]?.double.map(Figures.bytes) ?? NSNull()
        model["is_late"] = site.overview.liveness(row).isSilent
        return model
    }

    private func workerModel(_ row: JSONValue) -> [String: Any] {
        var model = row.members
        let liveness = site.overview.liveness(row)
        model["beat"] = Figures.duration(max(0, liveness.silence)) + " ago"
        model["is_silent"] = liveness.isSilent
        model["fault"] = liveness.fault?.words ?? NSNull()
        model["up"] = Figures.moment(row["started_at"]?.string)
        return model
    }

    private static func latencyModel(_ row: JSONValue) -> [String: Any] {
        var model: [String: Any] = ["kind": row["kind"]?.string ?? "", "jobs": row["jobs"]?.integer ?? 0]
        for name in ["wait_p50", "wait_p95", "run_p50", "run_p95"] {
            model[name] = Figures.duration(max(0, row[name]?.double ?? 0))
        }
        return model
    }

    private static func hours(_ rows: [JSONValue]) -> [HourBars.Hour] {
        let last = (Date().timeIntervalSince1970 / 3600).rounded(.down)
        var hours = (0..<48).map { HourBars.Hour(hour: Date(timeIntervalSince1970: (last - 47 + Double($0)) * 3600)) }
        for row in rows {
            guard let date = Figures.date(row["hour"]?.string), let jobs = row["jobs"]?.double else { continue }
            let place = 47 - Int(last - (date.timeIntervalSince1970 / 3600).rounded(.down))
            guard hours.indices.contains(place) else { continue }
            if row.jobState == .completed {
                hours[place].completed += jobs
            } else {
                hours[place].failed += jobs
            }
        }
        return hours
    }
}

extension Request {
    /// Whether only what changes is wanted: what pages ask for by themselves.
    var isPart: Bool { fields["part"] == "live" }

    /// What stands behind the question mark, as browsers write forms there.
    private var fields: FormFields { FormFields(encoded: uri.query ?? "") }

    /// The value of a parameter of the address, without blanks around it; nil where it says nothing.
    func parameter(_ name: String) -> String? {
        fields[name].flatMap { $0.utf8.contains(0) ? nil : $0 }
    }

    /// A parameter that is a number; nil where it says nothing.
    /// - Throws: 400 for another text.
    func number(_ name: String) throws -> Int64? {
        guard let text = given(name), !text.isEmpty else { return nil }
        guard let number = Int64(text) else { throw HTTPError(parameter: name, text, allowed: "a number") }
        return number
    }

    /// The id that a message shall have; nil leaves it to this program.
    /// - Throws: 400 for one that the door would refuse: sent again, it would make another job.
    func messageID() throws -> String? {
        guard let text = given("message_id") else { return nil }
        guard JobSpec.messageIDBytes.contains(text.utf8.count), !text.utf8.contains(0) else {
            throw HTTPError(parameter: "message_id", text, allowed: "1 to 128 bytes, none of them NUL")
        }
        return text
    }

    /// A parameter as it came, an empty one among them.
    private func given(_ name: String) -> String? { fields.values(name).first }

    /// All values of a parameter.
    func parameters(_ name: String) -> [String] {
        fields.values(name).filter { !$0.isEmpty }
    }
}
