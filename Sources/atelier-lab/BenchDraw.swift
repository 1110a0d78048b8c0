import ArgumentParser
import Lab

struct BenchDraw: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time a picture of an installed model, alone and among eight; one JSON line. ops/bench runs it."
    )

    @Argument(help: "The model's folder.") var model: String
    @Option(help: "Repetitions; the best counts.") var rounds = 5

    func validate() throws {
        try requireAtLeastOne(["rounds": rounds])
    }

    func run() throws {
        let figure = try DrawBenchmark(directory: model).run(rounds: rounds)
        try printLine(figure)
    }
}
