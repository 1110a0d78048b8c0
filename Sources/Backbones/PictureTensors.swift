import Images
import Tensors

extension Tensor {
    /// Pictures of one size as [B, 3, H, W] in [−1, 1].
    package static func pictures(_ pictures: [Picture]) -> Tensor {
        let (width, height) = (pictures[0].width, pictures[0].height)
        let plane = width * height
        let result = Tensor(uninitialized: [pictures.count, 3, height, width])
        for (index, picture) in pictures.enumerated() {
            precondition(picture.width == width && picture.height == height, "pictures of one batch must have one size")
            picture.pixels.withUnsafeBufferPointer { pixels in
                for channel in 0..<3 {
                    let target = result.pointer + (index * 3 + channel) * plane
                    for i in 0..<plane { target[i] = Float(pixels[3 * i + channel]) * (2 / 255) - 1 }
                }
            }
        }
        return result
    }

    /// [B, 3, H, W] in [−1, 1] (clamped) as pictures.
    package func pictures() -> [Picture] {
        let (height, width) = (shape[2], shape[3])
        let plane = width * height
        return (0..<shape[0]).map { index in
            var pixels = [UInt8](repeating: 0, count: 3 * plane)
            for channel in 0..<3 {
                let source = pointer + (index * 3 + channel) * plane
                for i in 0..<plane { pixels[3 * i + channel] = UInt8((min(max(source[i], -1), 1) + 1) * 127.5 + 0.5) }
            }
            return Picture(width: width, height: height, pixels: pixels)
        }
    }
}
