import ArgumentParser
import Daemon
import Foundation
import Hashing
import Jobs
import Web

/// The web program: what it does is in the module `Web`.
@main struct AtelierWeb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelier-web",
        abstract: "Shows jobs, concepts and their pictures in a browser, and acts on them.",
        discussion:
            "Exit codes: 0 stopped as asked · 69 something needed is not there · 78 the configuration is wrong",
        version: Release.version, subcommands: [Run.self, Token.self], defaultSubcommand: Run.self)

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Run until SIGTERM or SIGINT.")
        @Option(name: .long, help: "A JSON file of settings; the environment (ATELIER_…) overrides it.")
        var config: String?
        @Option(help: "Write the port it listens at into this file, once it does.") var portFile: String?

        func run() async throws {
            let settings: Settings
            do {
                settings = try Settings.read(
                    file: config, environment: ProcessInfo.processInfo.environment,
                    optional: ["amqpURL", "modelsDirectory"])
            } catch {
                StandardStream.errors.write("atelier-web: the configuration has problems:\n\(error)\n")
                throw ExitCode(78)
            }
            let portFile = portFile
            throw ExitCode(
                await WebServer.run(settings) { port in
                    if let portFile { try? "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8) }
                })
        }
    }

    struct Token: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a token; prints it once, and what the file webTokens gets.")
        @Argument(help: "What its holder is called.") var name: String
        @Flag(help: "It may act, and not only look.") var admin = false
        @Option(help: "The one tenant it sees.") var tenant: String?

        func run() throws {
            let made = AccessToken.make(name: name, role: admin ? .admin : .reader, tenant: tenant)
            StandardStream.errors.write("token: \(made.token)\n")
            StandardStream.output.write(try JSONValue(made.entry).text + "\n")
        }
    }
}
