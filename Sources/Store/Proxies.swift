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
    /// In order; none of a job that has not completed.
    package let proxies: [StoredProxy]

    /// Describes a job.
    package init(state: JobState, spec: JSONValue, proxies: [StoredProxy] = []) {
        (self.state, self.spec, self.proxies) = (state, spec, proxies)
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
        let proxies = try query(
            """
            select sha256, prompt from atelier.artifacts where job = $1::uuid and role = 'proxy' order by name
            """, [id]
        ).compactMap { row in
            row["sha256"].flatMap { SHA256Digest($0) }.map { StoredProxy(digest: $0, prompt: row["prompt"] ?? "") }
        }
        return DrawingJob(state: state, spec: try JSONValue(json: Data(text.utf8)), proxies: proxies)
    }
}
