import ArgumentParser
import Lab

extension TuningBenchmark.Tuning: ExpressibleByArgument {}

struct BenchTuning: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Time a training step of the pocket-sized unified transformer by what learns; one JSON line. ops/bench \
            runs it.
            """
    )

    @Option(help: "What learns.") var tuning = TuningBenchmark.Tuning.coar
    @Option(help: "Repetitions; the best counts.") var rounds = 10

    func validate() throws {
        try requireAtLeastOne(["rounds": rounds])
    }

    func run() throws {
        try printLine(TuningBenchmark(tuning).run(rounds: rounds))
    }
}
