import Foundation
import Jobs

/// What a message asks that wants to know what a job takes.
struct EstimateRequest {
    /// The job's body.
    let job: JSONValue
    /// Whether the asker's own concepts count.
    let usesConcepts: Bool
    /// What is to be counted for concepts instead, by what the job calls them.
    let adapters: [String: InspectionOrder.Adapter]

    private static let known = ["action", "job", "concepts", "adapters"]

    /// Reads a message's members; one that was passed over would give the asker a wrong figure.
    static func read(_ members: [String: JSONValue]) -> Result<EstimateRequest, Problems> {
        var problems = members.keys.filter { !known.contains($0) }.sorted().map {
            Problem("/" + Problem.escaped($0), found: "an unknown member", allowed: known.joined(separator: ", "))
        }
        let adapters = members["adapters"].map(adapters) ?? [:]
        if adapters == nil {
            problems.append(
                Problem(
                    "/adapters", found: members["adapters"]?.brief ?? "",
                    allowed: #"for each name a method and bytes, {"rex": {"method": "arbooth", "bytes": 1000}}"#))
        }
        let concepts = members["concepts"] ?? true
        if concepts != true, concepts != false {
            problems.append(Problem("/concepts", found: concepts.brief, allowed: "true or false"))
        }
        if members["job"] == nil {
            problems.append(Problem("/job", found: "nothing", allowed: "the body of a job"))
        }
        guard problems.isEmpty, let job = members["job"], let adapters else { return .failure(Problems(problems)) }
        return .success(EstimateRequest(job: job, usesConcepts: concepts == true, adapters: adapters))
    }

    /// Nil of what cannot be read.
    private static func adapters(_ value: JSONValue) -> [String: InspectionOrder.Adapter]? {
        let read = try? JSONDecoder().decode([String: InspectionOrder.Adapter].self, from: value.line)
        return read.flatMap { $0.values.allSatisfy { $0.bytes >= 0 } ? $0 : nil }
    }
}
