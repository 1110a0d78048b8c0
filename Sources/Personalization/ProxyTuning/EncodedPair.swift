import Images

/// A prompt and a picture as a backbone learns them.
struct EncodedPair {
    let prompt: String
    let picture: EncodedPicture
    let origin: PictureOrigin
}
