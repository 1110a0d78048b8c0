import Autograd
import Backbones
import Images
import Layers
import Tensors

/// What each scale of a next-scale tokenizer holds (ARBooth, arXiv 2504.02612, figures 4 and 5): a picture's scales
/// after the k-th are replaced by those of a noise picture, and the decoded picture is held against the undisturbed
/// one.
package struct ScaleCorruption {
    /// For every k from 0 to all scales: the mean squared error of pixels in 0…1 against the undisturbed picture, over
    /// all pictures.
    package let errors: [Double]
    /// For every picture what is decoded at every k; the last is undisturbed.
    package let pictures: [[Picture]]

    /// - Parameters:
    ///   - pictures: and as many of `noise`, of the model's size.
    package init(_ model: InfinityModel, pictures: [Picture], noise: [Picture]) {
        precondition(
            pictures.count == noise.count && !pictures.isEmpty, "\(pictures.count) pictures, \(noise.count) of noise")
        let schedule = model.configuration.schedule
        let own = model.maps(pictures)
        let other = model.maps(noise)
        let decoded = (0...schedule.sides.count).map { kept in
            ScaleCorruption.decode(
                model,
                ScaleCorruption.mixed(own.bits, other.bits, kept: kept, schedule, depth: own.depth),
                batch: pictures.count)
        }
        errors = decoded.map { some in
            zip(some, decoded.last!).reduce(0) { $0 + ScaleCorruption.error($1.0, $1.1) } / Double(pictures.count)
        }
        self.pictures = pictures.indices.map { index in decoded.map { $0[index] } }
    }

    /// [B, L, d]: the first `kept` scales of `own`, the others of `other`.
    static func mixed(_ own: [UInt8], _ other: [UInt8], kept: Int, _ schedule: ScaleSchedule, depth: Int) -> [UInt8] {
        let picture = schedule.tokens * depth
        let border = schedule.sides.prefix(kept).reduce(0) { $0 + $1.tokens } * depth
        return own.indices.map { $0 % picture < border ? own[$0] : other[$0] }
    }

    private static func decode(_ model: InfinityModel, _ bits: [UInt8], batch: Int) -> [Picture] {
        Recording.withoutGradients {
            let maps = model.tokenizer.maps(bits: bits, batch: batch, schedule: model.configuration.schedule)
            return model.tokenizer.decode(Variable(maps.sum)).value.pictures()
        }
    }

    private static func error(_ a: Picture, _ b: Picture) -> Double {
        zip(a.pixels, b.pixels).reduce(0) { sum, pair in
            let difference = (Double(pair.0) - Double(pair.1)) / 255
            return sum + difference * difference
        } / Double(a.pixels.count)
    }
}
