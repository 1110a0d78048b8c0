import Foundation

/// Which OpenBLAS kernels suit this processor. OpenBLAS 0.3.21 does not know newer processors and takes them for
/// Haswell, which halves its speed where AVX-512 is there; `OPENBLAS_CORETYPE` tells it, but only before the library
/// loads.
package enum ProcessorKind {
    /// The value for `OPENBLAS_CORETYPE`, or nil to let OpenBLAS find out.
    package static func openBLASCore(cpuinfo: String) -> String? {
        guard let line = cpuinfo.split(separator: "\n").first(where: { $0.hasPrefix("flags") }) else { return nil }
        let flags = Set(line.split(separator: " "))
        let avx512: Set<Substring> = ["avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"]
        if flags.isSuperset(of: avx512) { return "SkylakeX" }
        return nil
    }

    /// The same for the machine this runs on.
    package static func openBLASCore() -> String? {
        FileManager.default.contents(atPath: "/proc/cpuinfo").flatMap {
            openBLASCore(cpuinfo: String(decoding: $0, as: UTF8.self))
        }
    }
}
