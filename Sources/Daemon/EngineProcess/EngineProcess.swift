import CProcess
import Foundation
import Synchronization

/// One running engine: a child in a process group of its own, at low priority, spoken to by lines.
///
/// Three threads belong to it: one reads stdout into `lines`, one moves stderr into the log, one waits for the end. All
/// of them end with the child, for the rest of its group is killed with it and so every pipe closes.
package final class EngineProcess: Sendable {
    /// The longest line an engine may write.
    private static let lineLimit = 4 << 20
    /// As many lines are read ahead of whoever handles them; then the engine blocks on its pipe.
    private static let readAhead = 1024

    /// The process id, also of its group.
    package let pid: pid_t
    /// What it says on stdout, one element a line; ends at the end of the file, throws on a line over the limit.
    package let lines: AsyncThrowingStream<Data, any Error>
    /// What it says on stderr.
    package let log: EngineLog

    private struct State {
        var input: Int32?
        var isReaped = false
        var exit: EngineExit?
        var waiting: [CheckedContinuation<EngineExit, Never>] = []
    }

    private let state: Mutex<State>
    // Begins at zero and is filled: libdispatch traps when one that began higher goes away lower.
    private let credits = DispatchSemaphore(value: 0)
    /// Signalled once all that it said on stderr is in the log.
    private let isLogged = DispatchSemaphore(value: 0)
    /// As long the end waits for that: a grandchild that left the group may hold the pipe for ever.
    private static let logPatience = DispatchTimeInterval.seconds(2)

    /// Starts `command`.
    package init(_ command: EngineCommand) throws(SystemError) {
        log = try EngineLog(path: command.log)
        let input = try Pipe()
        let output: Pipe
        let errors: Pipe
        do { output = try Pipe() } catch {
            input.close()
            throw error
        }
        do { errors = try Pipe() } catch {
            input.close()
            output.close()
            throw error
        }
        do { pid = try Self.spawn(command, input.reader, output.writer, errors.writer) } catch {
            input.close()
            output.close()
            errors.close()
            throw error
        }
        close(input.reader)
        close(output.writer)
        close(errors.writer)
        state = Mutex(State(input: input.writer))
        for _ in 0..<Self.readAhead { credits.signal() }
        let (stream, continuation) = AsyncThrowingStream<Data, any Error>.makeStream()
        lines = stream
        readLines(from: output.reader, into: continuation)
        readLog(from: errors.reader)
        awaitExit()
    }

    /// Writes one line to its stdin. Fails with EPIPE when it is gone.
    package func send(_ line: Data) throws(SystemError) { try write(line + [0x0A]) }

    /// Writes bytes to its stdin. Fails with EPIPE when it is gone, whatever the program does about SIGPIPE.
    func write(_ bytes: Data) throws(SystemError) {
        // A descriptor of its own: the other one may be closed meanwhile, and its number be another file's.
        let input = state.withLock { $0.input.map { fcntl($0, F_DUPFD_CLOEXEC, 0) } ?? -1 }
        guard input >= 0 else { throw SystemError("write", "engine \(pid)", code: EPIPE) }
        defer { close(input) }
        let failure = Self.withoutPipeSignal {
            bytes.withUnsafeBytes { bytes -> Int32? in
                var start = 0
                while start < bytes.count {
                    let count = Glibc.write(input, bytes.baseAddress! + start, bytes.count - start)
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { return errno }
                    start += count
                }
                return nil
            }
        }
        if let failure { throw SystemError("write", "engine \(pid)", code: failure) }
    }

    /// Keeps SIGPIPE, which would end a program that does not ignore it, from this thread.
    private static func withoutPipeSignal<Result>(_ body: () -> Result) -> Result {
        var pipe = sigset_t()
        var before = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer {
            // One that came meanwhile would end the program as soon as it is let through: it is taken here.
            var none = timespec()
            while sigtimedwait(&pipe, nil, &none) < 0 && errno == EINTR {}
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return body()
    }

    /// Says that a line was handled, so that another one may be read ahead.
    package func handled() { credits.signal() }

    /// Asks the whole group to end: the engine writes a checkpoint first.
    package func terminate() { signal(SIGTERM) }

    /// Ends the whole group at once, and lets nothing wait for a reader any more.
    package func kill() { signal(SIGKILL) }

    /// Closes its stdin: the sign to end at once.
    package func closeInput() {
        let input = state.withLock { state in
            defer { state.input = nil }
            return state.input
        }
        if let input { close(input) }
    }

    /// Waits for the end.
    package func exit() async -> EngineExit {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiting.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    private func signal(_ number: Int32) {
        // Under the lock, so that the id cannot have been given to another process meanwhile.
        state.withLock { if !$0.isReaped { _ = Glibc.kill(-pid, number) } }
    }
}

// MARK: The three threads

extension EngineProcess {
    private func readLines(from file: Int32, into continuation: AsyncThrowingStream<Data, any Error>.Continuation) {
        let credits = credits
        continuation.onTermination = { _ in credits.signal() }
        Thread.detachNewThread { [self] in
            defer { close(file) }
            var framer = LineFramer(limit: Self.lineLimit)
            var failure: (any Error)?
            Self.readAll(file) { bytes in
                // Keep reading, so that the engine is never stuck on a pipe nobody reads.
                guard failure == nil else { return }
                do {
                    for line in try framer.take(bytes) {
                        credits.wait()
                        if case .terminated = continuation.yield(line) { credits.signal() }
                    }
                } catch {
                    failure = error
                    kill()
                }
            }
            continuation.finish(throwing: failure)
        }
    }

    private func readLog(from file: Int32) {
        Thread.detachNewThread { [log, isLogged] in
            Self.readAll(file) { log.append($0) }
            close(file)
            isLogged.signal()
        }
    }

    private func awaitExit() {
        Thread.detachNewThread { [self] in
            var information = siginfo_t()
            // Without reaping: until its group is killed, its id must stay taken.
            while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
            _ = Glibc.kill(-pid, SIGKILL)
            var status: Int32 = 0
            var usage = rusage()
            state.withLock { $0.isReaped = true }
            while wait4(pid, &status, 0, &usage) < 0 && errno == EINTR {}
            closeInput()
            // Its last words are what tells why it died: who hears of the end finds them in the log.
            _ = isLogged.wait(timeout: .now() + Self.logPatience)
            let exit = EngineExit(status: status, usage: usage)
            let waiting = state.withLock { state in
                state.exit = exit
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(returning: exit) }
        }
    }

    private static func readAll(_ file: Int32, _ take: (UnsafeRawBufferPointer) -> Void) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            take(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
        }
    }
}

// MARK: Starting

extension EngineProcess {
    private struct Pipe {
        let reader: Int32
        let writer: Int32

        init() throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            guard process_pipe(&ends) == 0 else { throw SystemError("pipe", "for an engine") }
            (reader, writer) = (ends[0], ends[1])
        }

        func close() {
            _ = Glibc.close(reader)
            _ = Glibc.close(writer)
        }
    }

    private static func spawn(
        _ command: EngineCommand, _ input: Int32, _ output: Int32, _ errors: Int32
    ) throws(SystemError) -> pid_t {
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([command.executable] + command.arguments).map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] =
            command.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var pid: pid_t = 0
        let result = withConfinement(command.confinement) { confinement in
            process_spawn(
                &pid, command.executable, command.directory, &arguments, &environment, input, output, errors,
                Int32(command.niceness), Int64(command.reserveMiB) << 20, confinement)
        }
        guard result == 0 else { throw SystemError("start", command.executable, code: result) }
        return pid
    }
}

extension EngineProcess {
    private static func withConfinement(
        _ confinement: Confinement?, _ body: (UnsafePointer<process_confinement>?) -> Int32
    ) -> Int32 {
        guard let confinement else { return body(nil) }
        var readable: [UnsafeMutablePointer<CChar>?] = confinement.readable.map { strdup($0) } + [nil]
        var writable: [UnsafeMutablePointer<CChar>?] = confinement.writable.map { strdup($0) } + [nil]
        defer { for text in readable + writable { free(text) } }
        return readable.withUnsafeMutableBufferPointer { readable in
            writable.withUnsafeMutableBufferPointer { writable in
                var lists = process_confinement(readable: readable.baseAddress, writable: writable.baseAddress)
                return body(&lists)
            }
        }
    }
}

extension EngineExit {
    /// Reads what `wait4` gave.
    fileprivate init(status: Int32, usage: rusage) {
        let signal = status & 0x7F
        cause = signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
        peakMemoryBytes = Int64(usage.ru_maxrss) * 1024
        processorSeconds =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}
