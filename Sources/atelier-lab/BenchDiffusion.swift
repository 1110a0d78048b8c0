import ArgumentParser
import Lab

extension BenchmarkPrecision: ExpressibleByArgument {}

struct BenchDiffusion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a LoRA training step of a diffusion model; one JSON line. ops/bench runs it beside a peer."
    )

    @Argument(help: "The model's folder.") var model: String
    @Option(help: "What products are calculated in.") var precision = BenchmarkPrecision.bf16
    @Option(help: "Pictures a step.") var batch = 4
    @Option(help: "Of the changes.") var rank = 16
    @Option(help: "Repetitions; the best counts.") var rounds = 10

    func validate() throws {
        try requireAtLeastOne(["batch": batch, "rank": rank, "rounds": rounds])
    }

    func run() throws {
        let figure = try DiffusionBenchmark(directory: model, batch: batch, rank: rank).run(precision, rounds: rounds)
        try printLine(figure)
    }
}
