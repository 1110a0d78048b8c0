import ArgumentParser
import Engine
import Jobs

@main
struct AtelierEngine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelier-engine", abstract: "Atelier's engine: trains, personalizes and generates on the CPU.",
        version: Release.version,
        subcommands: [
            Work.self, Inspect.self, Measure.self, Check.self, ProtocolCommand.self,
        ])

    static func main() {
        EngineEnvironment.prepare()
        self.main(nil)
    }
}
