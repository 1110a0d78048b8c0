import Foundation

/// What is started for one attempt: program, arguments, environment, where its stderr goes.
package struct EngineCommand: Sendable {
    /// The executable's path.
    package var executable: String
    /// Its arguments, without the program's name.
    package var arguments: [String]
    /// Its whole environment.
    package var environment: [String: String]
    /// The working folder.
    package var directory: String
    /// The file its stderr is appended to.
    package var log: String
    /// Its niceness: 19 yields to everything, above all to the daemon's own work.
    package var niceness: Int
    /// Mebibytes of memory of its own it may reserve, a wall that holds between two polls at what it uses; 0 sets none.
    package var reserveMiB: Int
    /// What it reaches of the host; nil: everything that its user does.
    package var confinement: Confinement?

    /// Describes one start.
    package init(
        executable: String, arguments: [String], environment: [String: String], directory: String, log: String,
        niceness: Int = 19, reserveMiB: Int = 0, confinement: Confinement? = nil
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.log = log
        self.niceness = niceness
        self.reserveMiB = reserveMiB
        self.confinement = confinement
    }

    /// The environment of an engine: nothing of the daemon's but the locale, the search paths and what tunes the
    /// engine, so that no secret of the daemon reaches a child; plus what OpenBLAS must find before it loads.
    package static func environment(
        of parent: [String: String], threads: Int, temporary: String, core: String? = ProcessorKind.openBLASCore()
    ) -> [String: String] {
        let kept = [
            "PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "ATELIER_THREADS", "OPENBLAS_CORETYPE",
        ]
        var environment = parent.filter { kept.contains($0.key) || $0.key.hasPrefix("ATELIER_ENGINE_") }
        environment["TMPDIR"] = temporary
        environment["HOME"] = temporary
        environment["OPENBLAS_NUM_THREADS"] = "1"
        if environment["OPENBLAS_CORETYPE"] == nil, let core { environment["OPENBLAS_CORETYPE"] = core }
        if threads > 0 { environment["ATELIER_THREADS"] = String(threads) }
        return environment
    }
}
