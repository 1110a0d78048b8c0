import Backbones
import Engine
import Layers
import Personalization

/// Times one picture of an installed model as jobs draw it, guidance included: ARBooth's tables 1 and 4 (arXiv
/// 2504.02612) put a next-scale model's half a second beside the 11 to 55 s of diffusion models.
package struct DrawBenchmark {
    /// One line of JSON; milliseconds a picture.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let model: String
        let family: String
        /// Of the transformer, in millions.
        let parameters_m: Double
        /// A picture by itself, the best of the rounds.
        let ms: Double
        /// One of eight that are drawn together.
        let ms_of_eight: Double
    }

    private static let prompt = "a red cat on the beach"

    private let loaded: LoadedModel

    /// - Parameter directory: the model's.
    /// - Throws: `JobFailure` where there is no model, or a damaged one.
    package init(directory: String) throws { loaded = try LoadedModel(directory: directory) }

    /// - Throws: `AdapterError`, which no model without concepts gives.
    package func run(rounds: Int) throws -> Figure {
        let paint = try ConceptPainter(loaded, adapters: [:]).paint
        func milliseconds(_ pictures: Int) -> Double {
            let prompts = [String](repeating: DrawBenchmark.prompt, count: pictures)
            let clock = ContinuousClock()
            let best = (0..<rounds).map { _ in clock.measure { _ = paint(prompts, prompts.indices.map(UInt64.init)) } }
                .min()!
            return best / .milliseconds(1) / Double(pictures)
        }
        _ = milliseconds(1)
        let parameters = loaded.backbone.transformerWeights.parameters
        return Figure(
            model: loaded.name, family: loaded.description.family.rawValue,
            parameters_m: Double(parameters.reduce(0) { $0 + $1.count }) / 1e6, ms: milliseconds(1),
            ms_of_eight: milliseconds(8))
    }
}
