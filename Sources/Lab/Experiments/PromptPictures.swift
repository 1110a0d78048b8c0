import Engine
import Images
import Randomness
import Tensors

extension LoadedModel {
    /// One picture a prompt, drawn some at a time, each from a seed of its own.
    func pictures(of prompts: [String], seed: UInt64) throws -> [Picture] {
        let painter = try ConceptPainter(self, adapters: [:])
        return prompts.indices.parts(of: 20).flatMap {
            painter.paint(Array(prompts[$0]), Philox.seeds(seed, purpose: 0x5C, $0))
        }
    }
}
