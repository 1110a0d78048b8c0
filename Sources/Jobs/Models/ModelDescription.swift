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

        /// Of the whole picture.
        package var pixels: Int { width * height }

        /// As jobs say it: `512x768` is 512 wide and 768 high.
        package var text: String { "\(width)x\(height)" }

        /// Of a job's text, or of what people are shown; nil for one that says no size.
        package init?(text: String) {
            guard let found = text.wholeMatch(of: /([1-9][0-9]{0,4})[x×]([1-9][0-9]{0,4})/),
                let width = Int(found.1), let height = Int(found.2)
            else { return nil }
            self.init(width: width, height: height)
        }

        fileprivate func covers(_ other: Size) -> Bool { width >= other.width && height >= other.height }

        /// The part of a picture of this size that is cut away where one of another size is made of it, from 0 to 1.
        fileprivate func cut(to other: Size) -> Double {
            // Numbers that a product of integers has no room for may stand in a file.
            let (wide, high) = (Double(width) * Double(other.height), Double(height) * Double(other.width))
            return 1 - min(wide, high) / max(wide, high)
        }

        /// The one of several shapes that keeps most of a picture of this size, of equals the widest: what Lumina-mGPT
        /// learns a picture in (data/item_processor.py, `var_center_crop`). Nil of none.
        package func nearest(of shapes: [Size]) -> Size? {
            shapes.min { ($0.cut(to: self), -$0.width) < ($1.cut(to: self), -$1.width) }
        }

        fileprivate func yields(_ other: Size) -> Bool { covers(other) && cut(to: other) <= ModelDescription.mostCut }
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

        /// The next multiples that cover a size; nil where they are out of bounds.
        fileprivate func covering(_ size: Size) -> Size? {
            func next(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }
            let (width, height) = (next(size.width), next(size.height))
            return allow(width) && allow(height) ? Size(width: width, height: height) : nil
        }
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
        /// Whether guidance is told to the network, so that nothing can be led away from.
        package var isToldGuidance: Bool?

        /// No limit but those that are set.
        package init(
            promptTokens: Int? = nil, tokensPerConcept: Int? = nil, scales: Int? = nil, layers: Int? = nil,
            codes: Int? = nil, isToldGuidance: Bool? = nil
        ) {
            (self.promptTokens, self.tokensPerConcept, self.scales) = (promptTokens, tokensPerConcept, scales)
            (self.layers, self.codes, self.isToldGuidance) = (layers, codes, isToldGuidance)
        }

        private enum CodingKeys: String, CodingKey {
            case promptTokens = "prompt_tokens"
            case tokensPerConcept = "tokens_per_concept"
            case scales, layers, codes
            case isToldGuidance = "told_guidance"
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
    /// Words that its text tokenizer has whole and that stood in no text it was trained on; nil where none are known.
    package var unlearnt: [String]?
    /// Of all its weights: the SHA-256, in 64 hexadecimal digits, of a line `SHA-256  name` for each of its files of
    /// weights in order of their names.
    package var digest: String

    /// Describes a model.
    package init(
        family: ModelFamily, name: String, pictures: [Size], sides: Sides? = nil, limits: Limits = Limits(),
        encoders: Encoders? = nil, sampling: [String: JSONValue] = [:], digest: String
    ) {
        (self.family, self.name, version, self.pictures, self.sides) = (family, name, "1", pictures, sides)
        (self.limits, self.encoders, self.sampling, self.digest) = (limits, encoders, sampling, digest)
    }

    /// The most of a picture that is cut away. Infinity's shapes lie farthest apart between 1:1 and 4:5, and between
    /// 1:2 and 2:5: a size halfway loses 1 − √0.8 of either, 10.6 %. So whatever lies between 1:3 and 3:1 has a shape.
    private static let mostCut = 0.12

    /// Whoever asks for fewer pixels than this has mistaken the unit.
    private static let leastSide = 8

    /// Whether a size is a shape of its own, of which nothing is cut away.
    package func draws(_ size: Size) -> Bool {
        pictures.contains(size) || sides.map { $0.allow(size.width) && $0.allow(size.height) } == true
    }

    /// The shape that a picture of a size is drawn in, to be reduced until it just covers the size and cut to it: the
    /// size itself where the model draws that, the next multiples where they are within bounds, or the listed shape of
    /// which least is cut away, of several the smallest. Were the smallest of all taken, a square would be cut from an
    /// oblong of Lumina-mGPT's, whose shapes have nearly as many pixels as each other. Nil where no shape covers the
    /// size, too much would be cut away, or nothing could be seen.
    package func shape(of size: Size) -> Size? {
        if draws(size) { return size }
        guard min(size.width, size.height) >= Self.leastSide else { return nil }
        if let next = sides?.covering(size) { return next }
        let fitting = pictures.filter { $0.yields(size) }
        return fitting.min { ($0.cut(to: size), $0.width) < ($1.cut(to: size), $1.width) }
    }

    /// The sizes it draws, for whoever asked for another: of the listed ones the largest, from which others are cut.
    package var sizesInWords: String {
        let largest = pictures.filter { one in !pictures.contains { $0 != one && $0.yields(one) } }
        let bounds = sides.map { ["sides of \($0.least) to \($0.most) pixels"] } ?? []
        return (largest.map(\.text) + bounds + [Self.smallerInWords]).joined(separator: ", ")
    }

    /// What is drawn beside the shapes.
    package static let smallerInWords =
        "or smaller in nearly such a shape: a side has at least \(leastSide) pixels, and at most "
        + "\(Int((100 * mostCut).rounded())) % is cut away"

    /// What a model may be called: a folder's name.
    package static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,63}/) != nil
    }

    /// The rule, for whoever gave another.
    package static let nameRule =
        "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"
}

extension ModelDescription {
    /// What holds in learning by a method where a job says nothing else; nothing where the method's own values hold.
    package func usualOptions(of method: PersonalizationMethod) -> [String: JSONValue] {
        training?[method.rawValue] ?? [:]
    }
}
