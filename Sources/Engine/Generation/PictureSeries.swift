import Foundation
import Images
import Jobs
import Randomness
import Tensors

/// Pictures of a list of prompts, announced one by one; each picture's seed follows from the job's seed and its place.
struct PictureSeries {
    let prompts: [String]
    let perPrompt: Int
    let seed: UInt64
    /// What the pictures are reduced and cut to; nil where they stay as they were drawn.
    var size: ModelDescription.Size?
    let folder: String
    let connection: EngineConnection
    /// Pictures drawn at a time.
    static let batch = 8

    /// - Throws: `AskedToStop` between two batches of what a training ends with.
    func generate(_ painter: ConceptPainter) throws -> [Picture] {
        let all = prompts.flatMap { Array(repeating: $0, count: perPrompt) }
        let seeds = Philox.seeds(seed, purpose: 0x9E, all.indices)
        var pictures: [Picture] = []
        for range in all.indices.parts(of: Self.batch) {
            if StopRequest.isPending { throw AskedToStop(step: range.lowerBound) }
            let some = painter.paint(Array(all[range]), Array(seeds[range])).map(sized)
            for (index, picture) in zip(range, some) {
                let path = "\(folder)/picture-\(String(format: "%03d", index + 1)).png"
                try picture.writePNG(path)
                try connection.sendArtifact(
                    role: .picture, path: path, mediaType: "image/png", prompt: all[index], seed: seeds[index])
            }
            pictures += some
            connection.send(.progress(.init(stage: "generate", step: pictures.count, steps: all.count)))
        }
        return pictures
    }

    private func sized(_ picture: Picture) -> Picture {
        size.map { picture.filling(width: $0.width, height: $0.height) } ?? picture
    }

    /// A row for each prompt, or one for all where there is one picture of each.
    func writeSheet(_ pictures: [Picture]) throws {
        let path = "\(folder)/sheet.png"
        try Grid.rows(of: perPrompt > 1 ? perPrompt : min(prompts.count, 8), pictures).writePNG(path)
        try connection.sendArtifact(role: .sheet, path: path, mediaType: "image/png")
    }
}
