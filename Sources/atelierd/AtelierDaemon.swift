import ArgumentParser
import Daemon
import Foundation
import Hashing
import Jobs

/// The daemon's program: what it does is in the module `Daemon`.
@main struct AtelierDaemon: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelierd",
        abstract: "Takes jobs from RabbitMQ, keeps them in PostgreSQL, runs them in engine processes.",
        discussion:
            "Exit codes: 0 stopped as asked · 69 a server or the schema is not there · 78 the configuration is wrong",
        version: Release.version,
        subcommands: [Run.self, Check.self], defaultSubcommand: Run.self)

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run until SIGTERM or SIGINT; then drain. SIGHUP reads the settings anew.")
        @OptionGroup var source: SettingsSource

        func run() async throws {
            let settings = try source.read()
            let config = source.config
            throw ExitCode(
                await Services.run(settings, environment: ProcessInfo.processInfo.environment) {
                    try SettingsSource.read(config)
                })
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Validate the configuration without starting anything.")
        @OptionGroup var source: SettingsSource
        @Flag(help: "List every setting with its variable, its default and its meaning.") var explain = false

        func run() throws {
            if explain { return StandardStream.output.write(Settings.explanation + "\n") }
            let settings = try source.read()
            StandardStream.output.write(settings.summary + "\n")
            for warning in settings.warnings {
                StandardStream.errors.write("atelierd: warning: \(warning)\n")
            }
        }
    }
}

/// Where the settings come from; every problem is printed and ends the program with 78.
struct SettingsSource: ParsableArguments {
    @Option(name: .long, help: "A JSON file of settings; the environment (ATELIER_…) overrides it.") var config: String?

    static func read(_ config: String?) throws -> Settings {
        try Settings.read(file: config, environment: ProcessInfo.processInfo.environment)
    }

    func read() throws -> Settings {
        do { return try Self.read(config) } catch {
            StandardStream.errors.write("atelierd: the configuration has problems:\n\(error)\n")
            throw ExitCode(78)
        }
    }
}
