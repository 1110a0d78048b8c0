import ArgumentParser
import Lab

struct BenchPretrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Time the pretraining steps of an embedded model's stage beside the matrix product's peak; one JSON line. \
            ops/bench runs it.
            """
    )

    @Argument(help: "The stage.") var stage = Pretraining.Stage.transformer
    @Option(help: "The model.") var model = Pretraining.Model.infinity
    @Option(help: "Pictures per step.") var batch = 16
    @Option(help: "Repetitions; the best counts.") var rounds = 8
    @Flag(help: "One more line for each operation, the costliest first.") var operations = false

    func validate() throws {
        try requireAtLeastOne(["batch": batch, "rounds": rounds])
    }

    func run() throws {
        let result = try PretrainBenchmark(model, stage, batch: batch).run(rounds: rounds)
        try printLine(result.figure)
        if operations { for figure in result.operations { try printLine(figure) } }
    }
}
