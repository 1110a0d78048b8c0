import ArgumentParser
import Lab

struct BenchStep: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Time a forward pass and a training step of a transformer stack; one JSON line per mode and precision. \
            ops/bench runs it beside a peer.
            """
    )

    @Option(help: "Channels.") var width = 256
    @Option(help: "Blocks.") var depth = 8
    @Option(help: "Attention heads; they divide the width.") var heads = 8
    @Option(help: "Tokens per sample.") var tokens = 155
    @Option(help: "Samples.") var batch = 2
    @Option(help: "Context tokens per sample.") var context = 16
    @Option(help: "Repetitions; the best counts.") var rounds = 6

    func validate() throws {
        try requireAtLeastOne([
            "width": width, "depth": depth, "heads": heads, "tokens": tokens, "batch": batch, "context": context,
            "rounds": rounds,
        ])
        guard width % heads == 0 else { throw ValidationError("--heads \(heads): must divide --width \(width)") }
    }

    func run() throws {
        let benchmark = StepBenchmark(
            .init(width: width, depth: depth, heads: heads, tokens: tokens, batch: batch, context: context))
        for figure in benchmark.run(rounds: rounds) {
            try printLine(figure)
        }
    }
}
