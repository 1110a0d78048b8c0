import Foundation
import Hashing
import Jobs

/// A picture that a job drew of a concept for a student to learn from.
package struct StoredProxy: Sendable, Equatable {
    /// Of the picture's file.
    package let digest: SHA256Digest
    /// What it was drawn from; it names the concept.
    package let prompt: String
}

extension Store {
    /// The proxies that a tenant's completed job drew, in order, with what the job was; nil where there is no such job.
    package func proxies(of job: UUID, tenant: String) throws -> (proxies: [StoredProxy], spec: JSONValue)? {
        let id = job.uuidString.lowercased()
        let jobs = try query(
            "select spec from atelier.jobs where id = $1::uuid and tenant = $2 and state = 'completed'", [id, tenant])
        guard let text = jobs.first?["spec"] else { return nil }
        let proxies = try query(
            """
            select sha256, prompt from atelier.artifacts where job = $1::uuid and role = 'proxy' order by name
            """, [id]
        ).compactMap { row in
            row["sha256"].flatMap { SHA256Digest($0) }.map { StoredProxy(digest: $0, prompt: row["prompt"] ?? "") }
        }
        return (proxies, try JSONValue(json: Data(text.utf8)))
    }
}
