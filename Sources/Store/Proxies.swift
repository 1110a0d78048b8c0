import Foundation
import Hashing
import Jobs

/// A picture that a job drew of a concept for a student to learn from.
package struct StoredProxy: Sendable, Equatable {
    /// Of the picture's file.
    package let digest: SHA256Digest
    /// What it was drawn from; it names the concept.
    package let prompt: String

    /// Describes a picture.
    package init(digest: SHA256Digest, prompt: String) { (self.digest, self.prompt) = (digest, prompt) }
}

/// A job as others see it that learn from the proxies it drew.
package struct DrawingJob: Sendable, Equatable {
    /// Where it is in its life.
    package let state: JobState
    /// Its body, as it was accepted.
    package let spec: JSONValue
    /// In order; of a job that has not completed, those that are drawn.
    package let proxies: [StoredProxy]
    /// Names of the sheets of those: a subject's comes when none of its proxies is missing.
    package let sheets: [String]

    /// Describes a job.
    package init(state: JobState, spec: JSONValue, proxies: [StoredProxy] = [], sheets: [String] = []) {
        (self.state, self.spec, self.proxies, self.sheets) = (state, spec, proxies, sheets)
    }

    /// Whether all proxies of a subject are drawn.
    package func hasDrawn(_ subject: String) -> Bool {
        state == .completed || sheets.contains(ProxySource.sheet(of: subject))
    }
}

extension Store {
    /// A tenant's job with the proxies that it drew; nil where there is no such job.
    /// - Throws: `StoreError`.
    package func drawing(_ job: UUID, tenant: String) throws -> DrawingJob? {
        let id = job.uuidString.lowercased()
        let jobs = try query(
            "select state, spec from atelier.jobs where id = $1::uuid and tenant = $2", [id, tenant])
        guard let text = jobs.first?["spec"], let state = jobs.first?["state"].flatMap(JobState.init(rawValue:)) else {
            return nil
        }
        let drawn = try query(
            """
            select name, role, sha256, prompt from atelier.artifacts
            where job = $1::uuid and role in ('proxy', 'proxies') order by name
            """, [id])
        let proxies = drawn.filter { $0["role"] == "proxy" }.compactMap { row in
            row["sha256"].flatMap { SHA256Digest($0) }.map { StoredProxy(digest: $0, prompt: row["prompt"] ?? "") }
        }
        return DrawingJob(
            state: state, spec: try JSONValue(json: Data(text.utf8)), proxies: proxies,
            sheets: drawn.filter { $0["role"] == "proxies" }.compactMap { $0["name"] })
    }
}
