import ArgumentParser
import Workers

@main
struct Engine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelier-engine", abstract: "Atelier's engine: trains, personalizes and generates on the CPU.",
        version: EngineWork.version,
        subcommands: [
            Work.self, Conform.self, World.self, Pretrain.self, ExportModel.self, Trials.self, Compositions.self,
            Tables.self, Analyze.self,
            Judge.self, Encoder.self, BenchStep.self, BenchTuning.self,
        ])

    static func main() {
        EngineEnvironment.prepare()
        self.main(nil)
    }
}
