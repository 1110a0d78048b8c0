import ArgumentParser
import Hashing
import Lab

extension StandIn: ExpressibleByArgument {}
extension StandIn.Precision: ExpressibleByArgument {}

struct WriteStandIn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standin",
        abstract: "Write a released model at its full size with random weights, to measure time and memory on.",
        discussion: """
            Files, names, shapes and folders are the release's, but of T5 the encoder alone, and a few words where \
            the release has a vocabulary; atelierctl models add takes it as it takes the release (--link keeps it \
            where it is). Its pictures are noise.
            """)

    @Argument(help: "The release.") var family: StandIn
    @Argument(help: "The folder it is written into.") var folder: String
    @Option(help: "What the weights are stored in: as released, or bf16, half as large where the release has floats.")
    var precision = StandIn.Precision.released

    func run() throws {
        try OutputPlace.folder(folder)
        try family.write(to: folder, precision: precision)
    }
}
