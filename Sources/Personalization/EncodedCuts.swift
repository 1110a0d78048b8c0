import Images
import Jobs
import Randomness

/// Pictures that a training cuts anew at every step, as a backbone's frozen encoder has them. There are as many cuts of
/// a picture as sides that it is resized to: each is encoded once, and by itself. How it is rounded does not depend on
/// what a step sees beside it, for a training that is resumed encodes it again.
package final class EncodedCuts {
    /// Bytes of the cuts that are kept at most, beside those of pictures that have one alone; others are encoded
    /// whenever they are drawn.
    package static let mostBytes = 128 << 20

    private struct Cut: Hashable {
        let number: Int
        let side: Int
    }

    private let pictures: [Picture]
    private let origins: [PictureOrigin]
    private let shapes: [ModelDescription.Size]?
    private let augment: ReferenceAugmentation
    private let encode: (Picture) -> EncodedPicture
    private let most: Int
    private var kept: [Cut: EncodedPicture] = [:]
    private var bytes = 0

    /// - Parameters:
    ///   - origins: what each of the pictures was cut from.
    ///   - shapes: what is cut out of each; nil: squares of the backbone's size.
    ///   - most: bytes, as `mostBytes`.
    ///   - encode: a picture of the backbone's size, or of its own shape.
    init(
        of pictures: [Picture], from origins: [PictureOrigin], in shapes: [ModelDescription.Size]? = nil,
        by augment: ReferenceAugmentation, keeping most: Int = EncodedCuts.mostBytes,
        encode: @escaping (Picture) -> EncodedPicture
    ) {
        (self.pictures, self.origins, self.shapes, self.augment) = (pictures, origins, shapes, augment)
        (self.most, self.encode) = (most, encode)
    }

    /// A cut of a picture, drawn by the generator, and what it was cut from.
    func callAsFunction(
        _ number: Int, _ generator: inout Philox
    ) -> (picture: EncodedPicture, origin: PictureOrigin) {
        let shape = shapes?[number]
        let side = augment.side(of: pictures[number], in: shape, &generator)
        return (encoded(Cut(number: number, side: side)), augment.cut(origins[number], side: side, in: shape))
    }

    private func encoded(_ cut: Cut) -> EncodedPicture {
        if let known = kept[cut] { return known }
        let (picture, shape) = (pictures[cut.number], shapes?[cut.number])
        let encoded = encode(augment.cut(picture, side: cut.side, in: shape))
        let further = augment.varies(picture, in: shape) ? encoded.bytes : 0
        if bytes + further <= most {
            kept[cut] = encoded
            bytes += further
        }
        return encoded
    }
}
