import ArgumentParser
import Lab

struct Frechet: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how far a model's pictures are, as a crowd, from the world's own of the same prompts.")

    @Option(help: "The model's directory.") var model: String
    @Option(help: "The folder of the encoders.") var encoders = "models"
    @Option(help: "The encoder that looks at pictures alone, by its folder's name.") var dino = "pocket-dino"
    @Option(help: "The encoder of pictures and texts, by its folder's name.") var clip = "pocket-clip"
    @Option(help: "How many pictures each side has.") var pictures = 5000
    @Option(help: "Seed of the pictures.") var seed: UInt64 = 1

    func validate() throws {
        guard 2...20_000 ~= pictures else { throw ValidationError("--pictures \(pictures): 2 to 20000 are allowed") }
    }

    func run() throws {
        let report = try FrechetScore(
            model: model, encoders: encoders, dino: dino, clip: clip, pictures: pictures, seed: seed
        ).run()
        try printLine(report)
    }
}
