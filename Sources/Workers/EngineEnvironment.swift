import Foundation
import Glibc
import Tensors

/// What must hold before the first matrix product: OpenBLAS reads its environment when the library loads.
package enum EngineEnvironment {
    /// Starts this program again with OpenBLAS set to one thread (we split products over our own) and to the kernels this
    /// processor deserves (0.3.21 takes newer ones for Haswell), unless the environment already says so.
    package static func prepare() {
        let environment = ProcessInfo.processInfo.environment
        var isComplete = true
        func want(_ name: String, _ value: String) {
            guard environment[name] == nil else { return }
            setenv(name, value, 1)
            isComplete = false
        }
        want("OPENBLAS_NUM_THREADS", "1")
        if hasAVX512 { want("OPENBLAS_CORETYPE", "SkylakeX") }
        if !isComplete {
            var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) } + [nil]
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
