import Foundation

/// What is worth a look though a job can be done: what its acceptance warned of, and what its result does.
package enum JobWarnings {
    /// Both, of a job that has its acceptance's as `warnings` beside its `result`; nothing twice.
    package static func all(of job: JSONValue) -> [String] {
        let told = acceptance(of: job)
        return told + further(in: job["result"], told: told)
    }

    /// What its acceptance warned of.
    package static func acceptance(of job: JSONValue?) -> [String] { texts(in: job) }

    /// What a result warns of that was not told before.
    package static func further(in result: JSONValue?, told: [String]) -> [String] {
        texts(in: result).filter { !isTold($0, told) }
    }

    private static func texts(in value: JSONValue?) -> [String] {
        (value?["warnings"]?.array ?? []).compactMap(\.string)
    }

    /// Whether it was said before: of a picture at `/images/0/data`, now at `/images/0`.
    private static func isTold(_ warning: String, _ told: [String]) -> Bool {
        if told.contains(warning) { return true }
        guard let end = warning.firstRange(of: ": ")?.lowerBound else { return false }
        return told.contains { $0.hasPrefix(warning[..<end] + "/") && $0.hasSuffix(warning[end...]) }
    }
}
