import Images
import Tensors

/// A prompt and a picture as a backbone learns them.
struct EncodedPair {
    let prompt: String
    let picture: EncodedPicture
    let origin: PictureOrigin
}

/// A picture as a backbone's frozen encoder has it.
enum EncodedPicture {
    /// Of its tokenizer, row by row.
    case codes([Int32])
    /// Features or latents, [1, d, h, w].
    case map(Tensor)
}

extension [EncodedPair] {
    /// Of a backbone whose pictures are codes.
    var codes: [[Int32]] {
        compactMap { if case .codes(let codes) = $0.picture { codes } else { nil } }
    }

    /// Of one whose pictures are maps, one after the other, [B, d, h, w].
    var maps: Tensor {
        let maps: [Tensor] = compactMap { if case .map(let map) = $0.picture { map } else { nil } }
        return .joined(maps)
    }
}
