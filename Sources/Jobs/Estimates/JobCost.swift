import Foundation

/// What an engine counts a job to take, before anything of it is done: so much of each kind of work, by names of the
/// engine's own, and memory and disk. What that is in seconds, a host's rates say.
package struct JobCost: Sendable, Equatable, Codable {
    /// By kind.
    package var work: [String: Double]
    /// The most memory at a time, beside what an idle engine holds.
    package var memoryBytes: Int
    /// The most in the workspace at a time.
    package var diskBytes: Int

    /// Smaller forms of the job, the nearest first; nil where nobody looked for any.
    package var alternatives: [Alternative]?

    /// Another form of a job, which takes less memory or keeps less on the disk.
    package struct Alternative: Sendable, Equatable, Codable {
        /// What is said otherwise: `/images_per_prompt 1`.
        package var change: String
        /// The most memory at a time, beside what an idle engine holds.
        package var memoryBytes: Int
        /// The most in the workspace at a time; nil where that was not counted.
        package var diskBytes: Int?

        /// Describes a form.
        package init(change: String, memoryBytes: Int, diskBytes: Int? = nil) {
            (self.change, self.memoryBytes, self.diskBytes) = (change, memoryBytes, diskBytes)
        }

        private enum CodingKeys: String, CodingKey {
            case change
            case memoryBytes = "memory_bytes"
            case diskBytes = "disk_bytes"
        }
    }

    /// Describes a cost.
    package init(work: [String: Double], memoryBytes: Int, diskBytes: Int) {
        (self.work, self.memoryBytes, self.diskBytes) = (work, memoryBytes, diskBytes)
    }

    private enum CodingKeys: String, CodingKey {
        case work, alternatives
        case memoryBytes = "memory_bytes"
        case diskBytes = "disk_bytes"
    }
}
