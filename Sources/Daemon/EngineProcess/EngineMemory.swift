import Foundation

/// What an engine holds of the machine's memory, and what it has reserved of it.
package struct EngineMemory: Sendable, Equatable {
    /// An engine without a model reserves so much: OpenBLAS maps 128 MiB when it begins, and tries for ever where it
    /// cannot; threads have stacks. A wall lower than that above the limit would not end an engine but hang it.
    static let slackMiB = 1024

    /// Mebibytes in the machine's memory.
    var residentMiB = 0
    /// Mebibytes of memory of its own, in use or not.
    var reservedMiB = 0

    /// The wall for what an engine reserves, so that between two looks it cannot take all memory; 0 where there is no
    /// limit. What it holds is looked at, and ends it at the limit itself.
    static func reserveMiB(limitMiB: Int) -> Int { limitMiB == 0 ? 0 : limitMiB + max(limitMiB, slackMiB) }

    /// Of two looks the larger numbers.
    mutating func raise(to other: EngineMemory) {
        residentMiB = max(residentMiB, other.residentMiB)
        reservedMiB = max(reservedMiB, other.reservedMiB)
    }

    /// Whether an engine that ended without a word did so for want of memory: above its limit, or close to the wall.
    func isTheCause(limitMiB: Int, peakMiB: Int) -> Bool {
        limitMiB > 0 && (peakMiB > limitMiB || reservedMiB > Self.reserveMiB(limitMiB: limitMiB) * 9 / 10)
    }
}

extension EngineProcess {
    /// What it holds now; nil when it has ended.
    package var memory: EngineMemory? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/statm") else { return nil }
        let pages = String(decoding: data, as: UTF8.self).split(separator: " ").map { Int($0) ?? 0 }
        guard pages.count > 5 else { return nil }
        func mebibytes(_ pages: Int) -> Int { (pages * sysconf(Int32(_SC_PAGESIZE))) >> 20 }
        return EngineMemory(residentMiB: mebibytes(pages[1]), reservedMiB: mebibytes(pages[5]))
    }
}
