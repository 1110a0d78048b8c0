import ArgumentParser
import Foundation
import Workers

struct Trials: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Learn subjects by ARBooth under several choices and measure each on unseen pictures of them: one JSON line a choice.")

    @Option(help: "The model's directory.") var model: String
    @Option(help: "The judge's directory.") var judge: String
    @Option(parsing: .upToNextOption, help: "Learning rates.") var learningRates: [Float] = [3e-4, 1e-3, 3e-3]
    @Option(parsing: .upToNextOption, help: "Weights of the distillation; 0 switches it off.") var distillationWeights: [Float] = [0.5]
    @Option(help: "Subjects learned under each choice.") var subjects = 3
    @Option(help: "Iterations for each.") var iterations = 600

    func run() throws {
        let trials = try TuningTrials(model: model, judge: judge, subjects: subjects, iterations: iterations)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for rate in learningRates {
            for weight in distillationWeights {
                let row = try encoder.encode(trials.row(learningRate: rate, distillationWeight: weight))
                FileHandle.standardOutput.write(row + Data("\n".utf8))
            }
        }
    }
}
