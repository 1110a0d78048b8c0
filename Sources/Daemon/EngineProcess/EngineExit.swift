import Glibc

/// How an engine process ended, from `wait4`.
package struct EngineExit: Sendable, Equatable {
    /// What ended it.
    package enum Cause: Sendable, Equatable {
        /// It ended by itself with this status.
        case status(Int32)
        /// This signal ended it.
        case signal(Int32)
    }

    /// What ended it.
    package let cause: Cause
    /// The most memory it held at a time, in bytes.
    package let peakMemoryBytes: Int64
    /// Seconds of processor time it and its children took.
    package let processorSeconds: Double

    /// One phrase for a log or an error: `exit status 3`, `signal 9 (SIGKILL)`.
    package var phrase: String {
        switch cause {
        case .status(let status): "exit status \(status)"
        case .signal(let number): "signal \(number) (\(Self.name(of: number)))"
        }
    }

    /// Whether the program itself went wrong: it was told of an illegal instruction, an address, a division.
    var isFault: Bool {
        guard case .signal(let number) = cause else { return false }
        return [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV].contains(number)
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL",
            11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ",
        ]
        return names[signal] ?? "unnamed"
    }
}
