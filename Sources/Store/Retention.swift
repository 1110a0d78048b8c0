import Foundation

/// How many days what has ended is kept; nil keeps it for ever.
package struct Retention: Sendable, Equatable {
    /// Completed and cancelled jobs, with everything that hangs on them. A message id that comes again later makes a new job.
    package var completedJobs: Double?
    /// Discarded jobs.
    package var discardedJobs: Double?
    /// Probes, however they ended.
    package var probes: Double?
    /// Messages that were sent.
    package var messages: Double?
    /// Rejected messages.
    package var rejections: Double?

    /// Days for each sort.
    package init(completedJobs: Double? = nil, discardedJobs: Double? = nil, probes: Double? = nil, messages: Double? = nil, rejections: Double? = nil) {
        (self.completedJobs, self.discardedJobs, self.probes) = (completedJobs, discardedJobs, probes)
        (self.messages, self.rejections) = (messages, rejections)
    }
}

extension Store {
    /// Deletes at most `limit` rows of each sort that have outlived their time; gives how many of what, nothing left out.
    package func prune(_ retention: Retention, limit: Int) throws -> [String: Int] {
        let days = [retention.completedJobs, retention.discardedJobs, retention.probes, retention.messages, retention.rejections]
        let types = (1...5).map { "$\($0)::double precision" }.joined(separator: ", ")
        let rows = try query(
            "select what, count from atelier.prune(\(types), $6::int)", days.map { $0.map { String($0) } } + [String(limit)])
        return Dictionary(rows.map { ($0["what"] ?? "", $0["count"].flatMap { Int($0) } ?? 0) }, uniquingKeysWith: +)
    }

    /// Counts what ended in the hours that are over, for the dashboard's throughput.
    package func countHours() throws { try query("select atelier.count_hours()") }

    /// Those of the digests that nobody refers to.
    package func unreferenced(_ digests: [String]) throws -> Set<String> {
        Set(try query("select * from atelier.unreferenced($1::text[]) as digest", ["{" + digests.joined(separator: ",") + "}"]).compactMap { $0["digest"] })
    }
}
