import Backbones
import Foundation
import Glibc
import Jobs
import Tensors

/// Measures how fast this host does each kind of work, in less than a second: the program behind
/// `atelier-engine measure`.
package struct HostMeasurement {
    /// The kind that a process takes once: until it can begin.
    static let starts = "starts"

    package init() {}

    /// Amounts a second by kinds of work; resident bytes are those before anything was measured.
    package func run() -> HostRates {
        let start = Self.processorSeconds
        let resident = ProcessMemory.peakBytes
        var rates = WorkRates().measured()
        rates[Self.starts] = 1 / max(start, 1e-3)
        return HostRates(rates: rates, residentBytes: resident, threads: threadCount)
    }

    /// What the process has taken of its processors until now.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
