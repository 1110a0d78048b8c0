import ArgumentParser
import Foundation
import Hashing
import Lab

struct BenchNextScale: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: """
            Time the transformer of Infinity 2B on a picture of 256² beside the peak of the kernel; one JSON line. \
            ops/bench runs it.
            """
    )

    @Option(help: "Blocks, of the model's 32; each has 130 MB.") var blocks = 4
    @Option(help: "Pictures drawn together.") var pictures = 1
    @Option(help: "Repetitions; the best counts.") var rounds = 5
    @Option(help: "Where the weights are written, and removed.") var folder = NSTemporaryDirectory()

    func validate() throws {
        guard (1...32).contains(blocks), pictures >= 1, rounds >= 1 else {
            throw ValidationError("--blocks must be within 1 and 32, the others at least 1")
        }
    }

    func run() throws {
        try OutputPlace.folder(folder)
        try printLine(NextScaleBenchmark(blocks: blocks, folder: folder).run(pictures: pictures, rounds: rounds))
    }
}
