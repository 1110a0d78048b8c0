import ComputeTesting
import Images
import Testing

@Suite(.computing) struct ResizingTests {
    /// A picture whose channels are c, c + 1 and c + 2 of each given value: channels that mix are seen.
    private func picture(_ width: Int, _ values: [Int]) -> Picture {
        Picture(
            width: width, height: values.count / width,
            pixels: values.flatMap { [UInt8($0), UInt8($0 + 1), UInt8($0 + 2)] })
    }

    @Test func halvingAveragesSquares() {
        #expect(picture(4, [0, 10, 100, 120, 20, 30, 140, 160]).resized(width: 2, height: 1) == picture(2, [15, 130]))
    }

    @Test func pixelsCountByTheAreaTheyCover() {
        // Three columns to two: each takes one and a half.
        #expect(picture(3, [0, 90, 180]).resized(width: 2, height: 1) == picture(2, [30, 150]))
        #expect(picture(1, [0, 90, 180]).resized(width: 1, height: 2) == picture(1, [30, 150]))
    }

    @Test func growingIsLinearBetweenCentres() {
        #expect(picture(2, [0, 100]).resized(width: 4, height: 1) == picture(4, [0, 25, 75, 100]))
        #expect(picture(1, [0, 100]).resized(width: 2, height: 4) == picture(2, [0, 0, 25, 25, 75, 75, 100, 100]))
    }

    @Test func onePlainColourStaysWhatItIs() {
        let plain = Picture(width: 7, height: 5, filledWith: (255, 128, 1))
        for width in 1...16 {
            for height in [1, 3, 5, 8, 31] {
                #expect(
                    plain.resized(width: width, height: height)
                        == Picture(width: width, height: height, filledWith: (255, 128, 1)))
            }
        }
    }

    @Test func theSameSizeIsTheSamePicture() {
        let original = picture(3, [1, 50, 3, 200, 5, 60])
        #expect(original.resized(width: 3, height: 2) == original)
    }

    @Test(arguments: [(100, 50, 40, 20), (50, 100, 20, 40), (30, 30, 20, 20), (31, 20, 31, 20), (7, 3, 47, 20)])
    func fittingKeepsTheProportions(width: Int, height: Int, fittedWidth: Int, fittedHeight: Int) {
        let fitted = Picture(width: width, height: height, filledWith: (1, 2, 3)).covering(width: 20, height: 20)
        #expect((fitted.width, fitted.height) == (fittedWidth, fittedHeight))
    }

    /// By the side that is reduced less; what is over on the other is cut.
    @Test(arguments: [(672, 1008, 512, 768), (64, 64, 60, 64), (64, 64, 9, 8), (48, 32, 40, 30), (16, 16, 40, 30)])
    func fillingHasTheSizeThatIsAskedFor(width: Int, height: Int, newWidth: Int, newHeight: Int) {
        let plain = Picture(width: width, height: height, filledWith: (1, 2, 3))
        #expect(
            plain.filling(width: newWidth, height: newHeight)
                == Picture(width: newWidth, height: newHeight, filledWith: (1, 2, 3)))
    }

    @Test func fillingReducesAndThenCuts() {
        let original = picture(4, [0, 10, 100, 120, 20, 30, 140, 160])
        #expect(original.filling(width: 1, height: 1) == picture(1, [15]))
        #expect(original.filling(width: 2, height: 2) == picture(2, [10, 100, 30, 140]))
        #expect(original.filling(width: 4, height: 2) == original)
    }

    private static func byte(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 {
        let (across, down, both) = (37 * x * x, 91 * y * (channel + 1), 53 * channel * x)
        return UInt8((across + down + both) % 256)
    }

    /// What Pillow 10.4 makes of it in Lumina-mGPT's `center_crop`, cut in the middle: odd sides are halved once and
    /// what is left reduced; halved twice; enlarged, with a side of 4.5 pixels, which Python rounds to 4.
    @Test(
        arguments: [
            (
                21, 11, 4, 3,
                [
                    128, 130, 148, 121, 139, 155, 130, 123, 127, 116, 111, 174, 104, 132, 109, 139, 120, 143, 132, 130,
                    99, 126, 127, 117, 130, 119, 96, 127, 143, 82, 134, 133, 124, 124, 116, 99,
                ]
            ),
            (
                23, 19, 3, 3,
                [
                    113, 120, 126, 125, 131, 127, 128, 124, 148, 129, 141, 126, 130, 125, 131, 131, 120, 115, 138, 120,
                    137, 126, 129, 148, 125, 126, 149,
                ]
            ),
            (
                2, 3, 3, 4,
                [
                    0, 0, 0, 14, 42, 71, 34, 101, 151, 49, 127, 4, 70, 75, 81, 90, 25, 161, 129, 173, 15, 150, 123, 97,
                    170, 73, 177, 185, 97, 26, 206, 156, 107, 226, 214, 187,
                ]
            ),
        ] as [(Int, Int, Int, Int, [UInt8])])
    func fillingBicubicallyIsWhatLuminasAuthorsDo(
        width: Int, height: Int, newWidth: Int, newHeight: Int, bytes: [UInt8]
    ) {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width { pixels += (0..<3).map { Self.byte(x, y, $0) } }
        }
        let filled = Picture(width: width, height: height, pixels: pixels)
            .fillingBicubically(width: newWidth, height: newHeight)
        #expect(filled == Picture(width: newWidth, height: newHeight, pixels: bytes))
    }

    @Test func theMiddleIsCutOut() {
        let original = picture(4, Array(0..<12))
        #expect(original.centreCropped(width: 2, height: 1) == picture(2, [5, 6]))
        #expect(original.centreCropped(width: 4, height: 3) == original)
        // One column too many: the left one of the two middles stays.
        #expect(original.centreCropped(width: 1, height: 3) == picture(1, [1, 5, 9]))
    }
}
