import ArgumentParser
import Foundation
import Hashing
import Lab

struct BenchGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: """
            Time a token of a 7B-shaped transformer beside reading its weights; one JSON line. ops/bench runs it.
            """
    )

    @Option(help: "Layers, of the model's 32; each has 0.4 GB.") var layers = 8
    @Option(help: "Sequences drawn together: two a picture.") var sequences = 2
    @Option(help: "Tokens a round.") var tokens = 16
    @Option(help: "Repetitions; the best counts.") var rounds = 5
    @Option(help: "Where the weights are written, and removed.") var folder = NSTemporaryDirectory()

    func validate() throws {
        guard (1...32).contains(layers), sequences >= 1, tokens >= 1, rounds >= 1 else {
            throw ValidationError("--layers must be within 1 and 32, the others at least 1")
        }
    }

    func run() throws {
        try OutputPlace.folder(folder)
        try printLine(
            GenerateBenchmark(layers: layers, folder: folder).run(
                sequences: sequences, tokens: tokens, rounds: rounds))
    }
}
