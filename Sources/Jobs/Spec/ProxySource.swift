import Foundation

/// Where a concept's proxies come from when they are not drawn: `{"job": "…"}`, a job of the same tenant that drew
/// them.
package struct ProxySource: Sendable, Equatable {
    /// Of the same tenant.
    package let job: UUID

    /// The rule, for whoever gave something else.
    package static let rule = "{\"job\": \"the id of a proxy-tuning job of yours that drew them\"}"

    /// What the sheet of a subject's proxies is called. It is announced behind all of them: none is missing where it
    /// is.
    package static func sheet(of subject: String) -> String { "proxies-\(subject).png" }

    /// Nil where the value is no such object.
    package init?(_ value: JSONValue) {
        guard case .object(let members) = value, members.count == 1, let text = members["job"]?.string,
            let job = UUID(uuidString: text)
        else { return nil }
        self.job = job
    }

    var json: JSONValue { .object(["job": .string(job.uuidString.lowercased())]) }
}
