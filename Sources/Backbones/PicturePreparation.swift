import Images
import Tensors

/// What an encoder does to a picture before it looks at it: shorter side to a size by Pillow's bicubic filter, centre crop, and
/// (pixel/255 − mean)/deviation per channel.
package struct PicturePreparation: Sendable {
    package let shorterSide: Int
    package let crop: Int
    package let mean: [Float]
    package let deviation: [Float]

    package init(shorterSide: Int, crop: Int, mean: [Float], deviation: [Float]) {
        precondition(shorterSide >= crop && crop > 0 && mean.count == 3 && deviation.count == 3)
        (self.shorterSide, self.crop, self.mean, self.deviation) = (shorterSide, crop, mean, deviation)
    }

    /// CLIP's (transformers' CLIPImageProcessor): straight to the model's size.
    package static func clip(side: Int) -> PicturePreparation {
        PicturePreparation(
            shorterSide: side, crop: side, mean: [0.48145466, 0.4578275, 0.40821073], deviation: [0.26862954, 0.26130258, 0.27577711])
    }

    /// DINO's evaluation transform: for a model of 224 the shorter side goes to 256 first; other sizes in proportion.
    package static func dino(side: Int) -> PicturePreparation {
        PicturePreparation(shorterSide: side * 256 / 224, crop: side, mean: imageNetMean, deviation: imageNetDeviation)
    }

    package static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
    package static let imageNetDeviation: [Float] = [0.229, 0.224, 0.225]

    /// The square the encoder sees; the longer side is truncated to whole pixels, as the references do.
    package func square(_ picture: Picture) -> Picture {
        let short = min(picture.width, picture.height), long = max(picture.width, picture.height)
        let longer = shorterSide * long / short
        let resized = picture.width <= picture.height
            ? picture.resizedBicubically(width: shorterSide, height: longer) : picture.resizedBicubically(width: longer, height: shorterSide)
        return resized.centreCropped(width: crop, height: crop)
    }

    /// Pictures of any sizes as [B, 3, crop, crop].
    package func callAsFunction(_ pictures: [Picture]) -> Tensor { normalized(pictures.map(square)) }

    /// Pictures of one size as [B, 3, H, W], without resizing.
    package func normalized(_ pictures: [Picture]) -> Tensor {
        let x = Tensor.pictures(pictures), plane = x.shape[2] * x.shape[3]
        for index in 0..<x.shape[0] * 3 {
            let (mean, deviation) = (mean[index % 3], deviation[index % 3]), values = x.pointer + index * plane
            // From [−1, 1] back to [0, 1] on the way.
            for i in 0..<plane { values[i] = ((values[i] + 1) / 2 - mean) / deviation }
        }
        return x
    }
}
