import Foundation
import Glibc
import Tensors

/// What must hold before the first matrix product: OpenBLAS reads its environment when the library loads.
package enum EngineEnvironment {
    private static let mark = "ATELIER_ENGINE_PREPARED"

    /// Starts this program again with OpenBLAS set to one thread (we split products over our own) and to the kernels
    /// this processor deserves: 0.3.21 takes newer ones for Haswell, and some machines' environments say so too, at
    /// half the speed.
    ///
    /// With `hugePages` memory comes in pages of 2 MiB where there are some: for long training, whose activations
    /// reach over a gigabyte.
    package static func prepare(hugePages: Bool = false) {
        if ProcessInfo.processInfo.environment[mark] == nil {
            setenv(mark, "1", 1)
            setenv("OPENBLAS_NUM_THREADS", "1", 1)
            if hugePages { setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0) }
            if hasAVX512 { setenv("OPENBLAS_CORETYPE", "SkylakeX", 1) }
            var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
            // By its path, for a process is called by what it was started as: `exe` says nothing in a list of them.
            if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
                execv(path, &arguments)
            }
            execv("/proc/self/exe", &arguments)
            // Going on with slower kernels is better than not starting.
        }
        Storage.keepFreedMemory()
    }

    private static var hasAVX512: Bool {
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return false }
        return text.contains(" avx512dq") && text.contains(" avx512vl")
    }
}
