/// What a model says of itself in `model.json`, beside its files: what the daemon validates jobs by, workers register,
/// and people are shown. No file is read here.
package struct ModelDescription: Sendable, Equatable, Codable {
    /// The file's name.
    package static let fileName = "model.json"

    /// A size of pictures, in pixels.
    package struct Size: Sendable, Equatable, Codable, CustomStringConvertible {
        /// In pixels.
        package var width, height: Int

        /// A size.
        package init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

        /// For people: `512×768`.
        package var description: String { "\(width)×\(height)" }

        /// As jobs say it: `512x768` is 512 wide and 768 high.
        package var text: String { "\(width)x\(height)" }

        /// Nil for a text that says no size.
        package init?(text: String) {
            guard let found = text.wholeMatch(of: /([1-9][0-9]{0,4})x([1-9][0-9]{0,4})/),
                let width = Int(found.1), let height = Int(found.2)
            else { return nil }
            self.init(width: width, height: height)
        }
    }

    /// Sizes without a list: sides are multiples of a number, within bounds.
    package struct Sides: Sendable, Equatable, Codable {
        /// In pixels; every side is a multiple of the first.
        package var multiple, least, most: Int

        /// From `least` to `most` pixels.
        package init(multiple: Int, least: Int, most: Int) {
            (self.multiple, self.least, self.most) = (multiple, least, most)
        }

        fileprivate func allow(_ side: Int) -> Bool { side % multiple == 0 && (least...max(least, most)) ~= side }
    }

    /// What the model can take; nil where there is no such limit, or it has no such thing.
    package struct Limits: Sendable, Equatable, Codable {
        /// Tokens of a prompt, its end mark among them.
        package var promptTokens: Int?
        /// How many fewer for every concept in use.
        package var tokensPerConcept: Int?
        /// Scales of a picture that is drawn scale by scale.
        package var scales: Int?
        /// Layers of the transformer.
        package var layers: Int?
        /// Codes of the picture vocabulary.
        package var codes: Int?

        /// No limit but those that are set.
        package init(
            promptTokens: Int? = nil, tokensPerConcept: Int? = nil, scales: Int? = nil, layers: Int? = nil,
            codes: Int? = nil
        ) {
            (self.promptTokens, self.tokensPerConcept, self.scales) = (promptTokens, tokensPerConcept, scales)
            (self.layers, self.codes) = (layers, codes)
        }

        private enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case tokensPerConcept = "tokens_per_concept"
            case scales, layers, codes
        }
    }

    /// The encoders that concepts learnt on the model are measured by, unless a job names others.
    package struct Encoders: Sendable, Equatable, Codable {
        /// Of CLIP-I and CLIP-T.
        package var clip: String
        /// Of DINO and PRES.
        package var dino: String

        /// Names both.
        package init(clip: String, dino: String) { (self.clip, self.dino) = (clip, dino) }
    }

    /// Which code reads it, and which methods it has.
    package var family: ModelFamily
    /// What jobs call it, and its folder.
    package var name: String
    /// Whoever trained it counts; the digest is what is compared.
    package var version: String
    /// Of the pictures it draws or reads, the usual one first.
    package var pictures: [Size]
    /// What it draws beside those; nil where the list is all.
    package var sides: Sides?
    /// What jobs are held against before they are accepted.
    package var limits: Limits
    /// Nil of an encoder.
    package var encoders: Encoders?
    /// What holds in drawing where a job says nothing else.
    package var sampling: [String: JSONValue]
    /// What holds in learning where a job says nothing else: options by methods, `supervisor` those of Proxy-Tuning
    /// where the model teaches; nil where the methods' own values hold.
    package var training: [String: [String: JSONValue]]?
    /// Of all its weights: the SHA-256, in 64 hexadecimal digits, of a line `SHA-256  name` for each of its files of
    /// weights in order of their names.
    package var digest: String

    /// Describes a model.
    package init(
        family: ModelFamily, name: String, version: String = "1", pictures: [Size], sides: Sides? = nil,
        limits: Limits = Limits(),
        encoders: Encoders? = nil, sampling: [String: JSONValue] = [:],
        training: [String: [String: JSONValue]]? = nil, digest: String
    ) {
        (self.family, self.name, self.version, self.pictures) = (family, name, version, pictures)
        (self.sides, self.training) = (sides, training)
        (self.limits, self.encoders, self.sampling, self.digest) = (limits, encoders, sampling, digest)
    }

    /// Whether it can draw pictures of a size.
    package func draws(_ size: Size) -> Bool {
        pictures.contains(size) || sides.map { $0.allow(size.width) && $0.allow(size.height) } == true
    }

    /// The sizes it draws, for whoever asked for another.
    package var sizesInWords: String {
        let listed = pictures.map(\.text).joined(separator: ", ")
        guard let sides else { return "\(listed): \(name) draws no other" }
        return "\(listed), or sides of \(sides.least) to \(sides.most) pixels that \(sides.multiple) divides"
    }

    /// What a model may be called: a folder's name.
    package static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,63}/) != nil
    }

    /// The rule, for whoever gave another.
    package static let nameRule =
        "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"
}
