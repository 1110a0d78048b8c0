import ArgumentParser
import Broker
import Daemon
import Foundation
import Jobs
import Store

struct Workers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the daemons.")
    @OptionGroup var server: ServerOptions
    @Flag(help: "Also those that are gone.") var all = false

    func run() async throws {
        let rows = try await reporting {
            try await server.store().objects("select * from dashboard.workers" + (all ? "" : " where gone_at is null"))
        }
        if server.json { return print(JSONValue.array(rows).text) }
        var table = Table("WORKER", "NAME", ">PID", ">SLOTS", ">RUNNING", ">BEAT AGE", "STATE", "STARTED", "GONE")
        for row in rows {
            table.append(
                row["worker"]?.string ?? "", row["name"]?.string ?? "", row["pid"]?.text ?? "",
                row["slots"]?.text ?? "", row["running"]?.text ?? "",
                (row["beat_age_seconds"]?.text ?? "") + " s", state(of: row),
                moment(row["started_at"]?.string ?? ""), moment(row["gone_at"]?.string ?? ""))
        }
        for line in table.lines() { print(line) }
    }

    private func state(of row: JSONValue) -> String {
        if row["gone_at"] != .null { return "gone" }
        return row["paused"] == .bool(true) ? "paused" : "working"
    }
}
