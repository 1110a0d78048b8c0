import Autograd
import Glibc
import Tensors

/// Processor time of this process, all threads together.
enum ProcessorTime {
    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// The most operations a second that matrix products in training's precision reach on all threads.
struct KernelPeak {
    /// Sizes that fit the caches and sizes that do not; the best counts.
    private static let sizes = [(512, 512, 256), (1024, 1024, 256), (1536, 1536, 512)]

    /// In 10⁹ operations a second, and a second of a processor.
    private(set) var rate = 0.0
    private(set) var processorRate = 0.0

    mutating func measure(_ clock: ContinuousClock) {
        for (m, n, k) in KernelPeak.sizes {
            let a = Tensor.example([m, k])
            let b = Tensor.example([k, n], seed: 2)
            let c = Tensor(zeros: [m, n])
            let operations = 2 * Double(m * n * k) / 1e9
            for _ in 0..<8 {
                let processor = ProcessorTime.now
                let time = clock.measure {
                    multiply(
                        Matrix(a.pointer, stride: k), Matrix(b.pointer, stride: n), into: Matrix(c.pointer, stride: n),
                        m: m, n: n, k: k)
                }
                rate = max(rate, operations / (time / .seconds(1)))
                processorRate = max(processorRate, operations / ((ProcessorTime.now - processor) / .seconds(1)))
            }
        }
    }
}
