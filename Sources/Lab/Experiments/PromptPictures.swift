import Engine
import Images
import Randomness

extension LoadedModel {
    /// One picture a prompt, drawn some at a time, each from a seed of its own.
    func pictures(of prompts: [String], seed: UInt64) throws -> [Picture] {
        let painter = try ConceptPainter(self, adapters: [:])
        let batch = 20
        return stride(from: 0, to: prompts.count, by: batch).flatMap { start in
            let range = start..<min(start + batch, prompts.count)
            return painter.paint(Array(prompts[range]), Philox.seeds(seed, purpose: 0x5C, range))
        }
    }
}
