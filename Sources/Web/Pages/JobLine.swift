import Foundation
import Jobs

/// A job as a line of a list.
enum JobLine {
    /// What a template reads of a row of `dashboard.job_rows`.
    static func model(_ row: JSONValue) -> [String: Any] {
        var model = row.members
        model["short"] = String((row["job"]?.string ?? "").prefix(8))
        model["created"] = Figures.moment(row["created_at"]?.string)
        model["ran"] = row["ran_seconds"]?.double.map { Figures.duration($0) } ?? ""
        model["is_running"] = row.jobState == .running
        model["is_bad"] = row.jobState == .discarded || row.jobState == .retryable
        model["what"] = what(row)
        return model
    }

    /// What it is about, in a few words.
    private static func what(_ row: JSONValue) -> String {
        if let concept = row["concept"]?.string {
            return [concept, row["method"]?.string].compactMap(\.self).joined(separator: " by ")
        }
        return row["prompt"]?.string ?? ""
    }

    /// A selection list's entries, one of them chosen.
    static func choices(_ values: [String], chosen: String?) -> [[String: Any]] {
        values.map { ["value": $0, "is_chosen": $0 == chosen] }
    }
}
