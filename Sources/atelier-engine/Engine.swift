import ArgumentParser
import Workers

@main
struct Engine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelier-engine", abstract: "Atelier's engine: trains, personalizes and generates on the CPU.",
        subcommands: [Conform.self, World.self, Pretrain.self])
}
