import Images
import Layers

/// A model that draws pictures of prompts, whatever its family: what holds of all of them.
package protocol Backbone: AnyObject {
    /// As its configuration has it, which adapters keep.
    var name: String { get }
    /// Pixels on a side of its pictures, on the shorter one where they are no squares.
    var pictureSize: Int { get }
    /// How its captions speak of styles, with {subject} and {style}; nil where nobody knows.
    var styledPrompt: String? { get }
    /// Its captions' word for styles that have no other; nil where nobody knows.
    var styleNoun: String? { get }
    /// Of the network that draws, which is what learns.
    var transformerWeights: Weights { get }
    /// No weight learns: nothing is recorded, no gradient memory is taken.
    func freeze()
    /// Pictures of the model's size through its tokenizer and back.
    func reconstruct(_ pictures: [Picture]) -> [Picture]
}

extension Backbone {
    /// Nobody knows.
    package var styleNoun: String? { nil }
}

extension InfinityModel: Backbone {
    /// The configuration's.
    package var name: String { configuration.name }
    /// The configuration's.
    package var pictureSize: Int { configuration.pictureSize }
    /// The configuration's.
    package var styledPrompt: String? { configuration.styledPrompt }
}

extension ChameleonModel: Backbone {
    /// The configuration's.
    package var name: String { configuration.name }
    /// The configuration's.
    package var pictureSize: Int { configuration.pictureSize }
    /// The configuration's.
    package var styledPrompt: String? { configuration.styledPrompt }
    /// The configuration's.
    package var styleNoun: String? { configuration.styleNoun }
    /// Pictures through their codes and back.
    package func reconstruct(_ pictures: [Picture]) -> [Picture] { self.pictures(codes(pictures)) }
}

extension LlamaGenModel: Backbone {
    /// The configuration's.
    package var name: String { configuration.name }
    /// The configuration's.
    package var pictureSize: Int { configuration.pictureSize }
    /// The configuration's.
    package var styledPrompt: String? { configuration.styledPrompt }
    /// Pictures through their codes and back.
    package func reconstruct(_ pictures: [Picture]) -> [Picture] { self.pictures(codes(pictures)) }
}

extension LatentDiffusion {
    /// The settings'.
    package var name: String { settings.name }
    /// The settings'.
    package var styledPrompt: String? { settings.styledPrompt }
}
