import Foundation

/// A program a test started. Its end is waited for with a limit, so that a program that hangs fails a test instead of
/// stopping them all.
///
/// By `posix_spawn` and `waitpid`: Foundation's `Process` waits for a socket of its own, and a server that another test
/// starts in that moment inherits the socket and keeps it open. What is started here inherits nothing.
package struct ChildProgram: Sendable {
    package let identifier: pid_t
    private let name: String

    /// Starts `program`, looked for in PATH where it has no slash. `environment` replaces this process's; stdout and
    /// stderr are appended to files; with one file for both, in the order they are written.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, input: String = "/dev/null",
        output: String, errors: String,
        directory: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // A thread of Dispatch blocks SIGTERM, and a program that inherits that could not be stopped.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // glibc's own action for a working directory is hidden from Swift.
        let line = directory.map { ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, $0, program] } ?? [program]
        let words = (line + arguments).map { strdup($0) } + [nil]
        let variables = (environment ?? ProcessInfo.processInfo.environment).map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        let failure = posix_spawnp(&process, line[0], &actions, &attributes, words, variables)
        guard failure == 0 else {
            throw Servers.Failure(description: "\(program) cannot be started: \(String(cString: strerror(failure)))")
        }
        identifier = process
        name = ([program] + arguments).joined(separator: " ")
    }

    /// Waits until `test` is true while the program runs. Where it does not come to be in time, kills the program and
    /// throws; `what` is said then.
    package func until(_ what: String, within seconds: Int, _ test: () -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(seconds)
        while !test() {
            if ContinuousClock.now >= limit {
                kill(identifier, SIGKILL)
                _ = try? await ended(within: 10)
                throw Servers.Failure(description: "\(name): not within \(seconds) s: \(what)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Waits for the end, blocking the thread. Gives the exit status, or 128 and the signal's number; kills what does
    /// not end in time, and throws.
    package func end(within seconds: Int) throws -> Int32 {
        let limit = ContinuousClock.now + .seconds(seconds)
        var status: Int32 = 0
        while true {
            let found = waitpid(identifier, &status, WNOHANG)
            if found == identifier { return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F }
            if found == -1, errno != EINTR {
                throw Servers.Failure(description: "waiting for \(name): \(String(cString: strerror(errno)))")
            }
            if ContinuousClock.now >= limit {
                kill(identifier, SIGKILL)
                waitpid(identifier, &status, 0)
                throw Servers.Failure(description: "\(name) did not end within \(seconds) s and was killed")
            }
            usleep(5000)
        }
    }

    /// The same without blocking the caller's thread.
    package func ended(within seconds: Int) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try end(within: seconds) }) }
        }
    }
}
