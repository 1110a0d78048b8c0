import ArgumentParser
import Engine
import Jobs
import Lab

@main
struct AtelierLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelier-lab",
        abstract: "Atelier's laboratory: trains the shipped models, measures them and holds them against references.",
        version: Release.version,
        subcommands: [
            Conform.self, World.self, Pretrain.self, ExportModel.self, Sweep.self, Compositions.self, Tables.self,
            Analyze.self, Classifier.self, Frechet.self, Encoder.self, BenchStep.self, BenchTuning.self,
            BenchPretrain.self, BenchDraw.self, BenchDiffusion.self,
            BenchGenerate.self, BenchNextScale.self, WriteStandIn.self,
        ])

    static func main() {
        EngineEnvironment.prepare(hugePages: true)
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            if let failure = CommandFailure(error) { exit(withError: failure) }
            exit(withError: error)
        }
    }
}
