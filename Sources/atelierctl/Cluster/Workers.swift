import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Workers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the daemons.",
        discussion: "A daemon that missed its heartbeats is silent; after leaseSeconds its jobs are taken over.")
    @OptionGroup var server: ServerOptions
    @Flag(help: "Also those that are gone.") var all = false

    func run() async throws {
        let settings = try server.settings()
        let rows = try await reporting {
            try await server.store().objects("select * from dashboard.workers" + (all ? "" : " where gone_at is null"))
        }
        if server.json { return print(JSONValue.array(rows).text) }
        var table = Table("WORKER", "NAME", ">PID", ">SLOTS", ">RUNNING", ">BEAT AGE", "STATE", "STARTED", "GONE")
        for row in rows {
            table.append(
                row["worker"]?.string ?? "", row["name"]?.string ?? "", row["pid"]?.text ?? "",
                row["slots"]?.text ?? "", row["running"]?.text ?? "",
                (row["beat_age_seconds"]?.text ?? "") + " s",
                WorkerLiveness(row: row, heartbeatSeconds: settings.heartbeatSeconds).state,
                moment(row["started_at"]?.string ?? ""), moment(row["gone_at"]?.string ?? ""))
        }
        for line in table.lines() { print(line) }
    }
}
