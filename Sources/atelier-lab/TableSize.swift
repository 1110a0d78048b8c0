import ArgumentParser
import Lab

/// How much is drawn and measured for a cell of a table, and by what.
struct TableSize: ParsableArguments {
    @Option(help: "Prompts of Little World's suite.") var prompts = 10
    @Option(help: "Pictures of each prompt; DIV needs two.") var picturesPerPrompt = 4
    @Option(help: "Pictures of the class prompt for PRES.") var classPictures = 16
    @Option(help: "Training steps of every method instead of its own number.") var iterations: Int?
    @Option(help: "CLIP's folder among the models.") var clip = "pocket-clip"
    @Option(help: "DINO's folder among the models.") var dino = "pocket-dino"

    func validate() throws {
        try check([
            ("prompts", prompts, 1...TableSettings.largestPrompts), ("pictures-per-prompt", picturesPerPrompt, 1...16),
            ("class-pictures", classPictures, 0...256), ("iterations", iterations ?? 1, 1...20_000),
        ])
    }

    /// - Throws: what is to be said of the first number outside its range.
    func check(_ limits: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
        for (name, value, range) in limits where !range.contains(value) {
            throw ValidationError("--\(name) \(value): \(range.lowerBound) to \(range.upperBound) are allowed")
        }
    }

    func settings(subjects: Int, seeds: Int) throws -> TableSettings {
        try check([("subjects", subjects, 1...TableSettings.largestSubjects), ("seeds", seeds, 1...100)])
        return TableSettings(
            subjects: subjects, seeds: seeds, prompts: prompts, picturesPerPrompt: picturesPerPrompt,
            classPictures: classPictures,
            iterations: iterations, clip: clip, dino: dino)
    }
}
