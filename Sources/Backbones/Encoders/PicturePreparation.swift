import Images
import Tensors

/// What an encoder does to a picture before it looks at it: shorter side to a size by Pillow's bicubic filter, centre
/// crop, and (pixel/255 − mean)/deviation per channel.
package struct PicturePreparation: Sendable {
    /// Pixels that the shorter side is resized to.
    let shorterSide: Int
    /// Pixels on a side of the square that is cut from the middle.
    let crop: Int
    /// Of red, green and blue, on a scale of 0…1.
    let mean: [Float]
    /// Of red, green and blue, on a scale of 0…1.
    let deviation: [Float]

    /// - Precondition: the crop lies within the shorter side; mean and deviation have three numbers each.
    package init(shorterSide: Int, crop: Int, mean: [Float], deviation: [Float]) {
        precondition(shorterSide >= crop && crop > 0 && mean.count == 3 && deviation.count == 3)
        (self.shorterSide, self.crop, self.mean, self.deviation) = (shorterSide, crop, mean, deviation)
    }

    /// CLIP's (transformers' CLIPImageProcessor): straight to the model's size.
    package static func clip(side: Int) -> PicturePreparation {
        PicturePreparation(
            shorterSide: side, crop: side, mean: [0.48145466, 0.4578275, 0.40821073],
            deviation: [0.26862954, 0.26130258, 0.27577711])
    }

    /// DINO's, by ImageNet's statistics: at its own size of 224 the middle of a picture whose shorter side is 256 (the
    /// reference's evaluation transform, and DreamBench's); at other sizes the whole picture.
    package static func dino(side: Int) -> PicturePreparation {
        PicturePreparation(
            shorterSide: side == 224 ? 256 : side, crop: side, mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225])
    }

    /// The square the encoder sees; the longer side is truncated to whole pixels, as the references do.
    package func square(_ picture: Picture) -> Picture {
        let short = min(picture.width, picture.height)
        let long = max(picture.width, picture.height)
        let longer = shorterSide * long / short
        let resized =
            picture.width <= picture.height
            ? picture.resizedBicubically(width: shorterSide, height: longer)
            : picture.resizedBicubically(width: longer, height: shorterSide)
        return resized.centreCropped(width: crop, height: crop)
    }

    /// Pictures of any sizes as [B, 3, crop, crop].
    package func callAsFunction(_ pictures: [Picture]) -> Tensor { normalized(pictures.map(square)) }

    /// Pictures of one size as [B, 3, H, W], without resizing.
    package func normalized(_ pictures: [Picture]) -> Tensor {
        let x = Tensor.pictures(pictures)
        normalize(x)
        return x
    }

    /// Pictures [B, 3, H, W] in [−1, 1], in place.
    package func normalize(_ pictures: Tensor) {
        let plane = pictures.shape[2] * pictures.shape[3]
        for index in 0..<pictures.shape[0] * 3 {
            let (mean, deviation) = (mean[index % 3], deviation[index % 3])
            let values = pictures.pointer + index * plane
            for i in 0..<plane { values[i] = ((values[i] + 1) / 2 - mean) / deviation }
        }
    }
}
