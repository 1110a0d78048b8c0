import Backbones
import Tensors

/// A picture as a backbone's frozen encoder has it.
enum EncodedPicture {
    /// Of its tokenizer, row by row.
    case codes([Int32])
    /// The same of a picture in a shape of its own.
    case shaped(PictureCodes)
    /// Features or latents, [1, d, h, w].
    case map(Tensor)

    /// Four of every number.
    var bytes: Int {
        switch self {
        case .codes(let codes): 4 * codes.count
        case .shaped(let picture): 4 * picture.codes.count
        case .map(let map): 4 * map.count
        }
    }
}

extension [EncodedPicture] {
    /// Of a backbone whose pictures are codes.
    var codes: [[Int32]] {
        compactMap { if case .codes(let codes) = $0 { codes } else { nil } }
    }

    /// Of one whose pictures are codes in shapes of their own.
    var shaped: [PictureCodes] {
        compactMap { if case .shaped(let picture) = $0 { picture } else { nil } }
    }

    /// Of one whose pictures are maps, one after the other, [B, d, h, w].
    var maps: Tensor {
        let maps: [Tensor] = compactMap { if case .map(let map) = $0 { map } else { nil } }
        return .joined(maps)
    }
}
