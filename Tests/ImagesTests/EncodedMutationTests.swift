import ComputeTesting
import FileTesting
import Images
import Randomness
import Testing

/// Damaged files of the formats that other people's libraries decode, and damaged colour profiles, are refused or read,
/// never the end of the program.
@Suite(.computing) struct EncodedMutationTests {
    private static let limits = PictureLimits(side: 512, pixels: 1 << 16, bytes: 1 << 16)

    private static let originals = [
        EncodedPictures.jpeg, EncodedPictures.progressiveJPEG, EncodedPictures.cmykJPEG, EncodedPictures.webp,
        EncodedPictures.alphaWebP, EncodedPictures.animatedWebP,
        EncodedPictures.jpeg(EncodedPictures.greyJPEG, exif: HandmadeExif.orientation(6)),
        EncodedPictures.webp(EncodedPictures.webp, exif: HandmadeExif.orientation(8), profile: HandmadeProfile.swapped),
    ]

    @Test(.timeLimit(.minutes(10))) func damagedFilesEndInAPictureOrAnError() {
        var generator = Philox(seed: 2027)
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<3000 {
            let original = Self.originals[generator.below(Self.originals.count)]
            if isRead(damaged(original, from: 12, &generator)) {
                outcomes.read += 1
            } else {
                outcomes.refused += 1
            }
        }
        #expect(outcomes.read > 300 && outcomes.refused > 300, "\(outcomes): the damage does not reach every depth")
    }

    @Test(.timeLimit(.minutes(10))) func damagedProfilesNeverKeepAPictureFromBeingRead() {
        var generator = Philox(seed: 2028)
        let profiles = [HandmadeProfile.displayP3, HandmadeProfile.linearGrey, HandmadeProfile.swapped]
        for _ in 0..<1000 {
            let profile = damaged(profiles[generator.below(3)], from: 0, &generator)
            #expect(isRead(EncodedPictures.jpeg(EncodedPictures.jpeg, profile: profile)))
            #expect(isRead(EncodedPictures.jpeg(EncodedPictures.greyJPEG, profile: profile)))
        }
    }

    private func isRead(_ bytes: [UInt8]) -> Bool {
        do throws(PictureError) {
            let picture = try DecodedPicture(bytes, limits: Self.limits).picture
            #expect(picture.pixels.count == 3 * picture.width * picture.height)
            return true
        } catch {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    /// With some bytes changed, cut out or put in.
    private func damaged(_ original: [UInt8], from start: Int, _ generator: inout Philox) -> [UInt8] {
        var bytes = original
        for _ in 0...generator.below(3) {
            let place = start + generator.below(bytes.count - start)
            let part = place..<min(bytes.count, place + 1 + generator.below(8))
            switch generator.below(6) {
            case 0: bytes.removeSubrange(part)
            case 1: bytes.insert(contentsOf: bytes[part], at: place)
            case 2: bytes[place] ^= 1 << UInt8(generator.below(8))
            default: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(generator.below(256))][generator.below(6)]
            }
            if bytes.count <= start { return original }
        }
        return bytes
    }
}
