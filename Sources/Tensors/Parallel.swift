import CKernels

/// Runs `body` on contiguous ranges that cover `0..<count`, one per thread, and returns when all are done.
/// - Parameter grain: the smallest range worth a thread; ranges start at multiples of it.
package func parallel(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    SignOfLife.give()
    withoutActuallyEscaping(body) { body in
        var body = body
        withUnsafeMutablePointer(to: &body) { pointer in
            atelier_parallel(
                count, grain,
                { context, begin, end in
                    context!.assumingMemoryBound(to: ((Range<Int>) -> Void).self).pointee(begin..<end)
                }, pointer)
        }
    }
}

/// Threads that `parallel` uses, the caller included.
package var threadCount: Int { atelier_thread_count() }
