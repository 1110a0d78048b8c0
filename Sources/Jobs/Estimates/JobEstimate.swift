import Foundation

/// What a job will take on a host.
package struct JobEstimate: Sendable, Equatable, Codable {
    /// From the engine's start to the end.
    package var seconds: Double
    /// The most memory at a time.
    package var memoryBytes: Int
    /// The most in the workspace at a time.
    package var diskBytes: Int
    /// How many jobs of its kind it was corrected by; nil where it was not.
    package var jobs: Int?

    /// As `atelier.estimate` counts it before it corrects it, for who asks without a database; nil where the host has
    /// no rate for a kind of work the job takes.
    package init?(_ cost: JobCost, at host: HostRates) {
        var seconds = 0.0
        for (kind, amount) in cost.work where amount > 0 {
            guard let rate = host.rates[kind], rate > 0 else { return nil }
            seconds += amount / rate
        }
        self.seconds = seconds
        (memoryBytes, diskBytes) = (cost.memoryBytes + host.residentBytes, cost.diskBytes)
    }

    private enum CodingKeys: String, CodingKey {
        case seconds, jobs
        case memoryBytes = "memory_bytes"
        case diskBytes = "disk_bytes"
    }
}
