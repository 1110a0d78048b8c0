import Images
import LittleWorld
import Tensors

extension [Scene] {
    /// Every scene's picture, painted by all threads.
    package func painted(size: Int) -> [Picture] {
        var pictures = [Picture?](repeating: nil, count: count)
        pictures.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let slots = buffer
            parallel(count, grain: 1) { range in for index in range { slots[index] = self[index].paint(size: size) } }
        }
        return pictures.map { $0! }
    }
}
