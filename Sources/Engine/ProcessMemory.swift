import Glibc

/// What this process takes of the host's memory.
package enum ProcessMemory {
    /// Bytes that were resident at a time, the most so far.
    package static var peakBytes: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
