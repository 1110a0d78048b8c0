import ArgumentParser
import Hashing
import Lab

extension StandIn: ExpressibleByArgument {}

struct WriteStandIn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standin",
        abstract: "Write a released model at its full size with random weights, to measure time and memory on.",
        discussion: """
            Names, shapes and folders are the release's, in safetensors and bfloat16; atelierctl models add takes it \
            as it takes the release (--link keeps it where it is). Its pictures are noise.
            """)

    @Argument(help: "The release.") var family: StandIn
    @Argument(help: "The folder it is written into.") var folder: String

    func run() throws {
        try OutputPlace.folder(folder)
        try family.write(to: folder)
    }
}
