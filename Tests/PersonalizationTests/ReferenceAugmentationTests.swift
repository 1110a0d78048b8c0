import ComputeTesting
import Images
import Jobs
import Personalization
import Randomness
import Testing

@Suite(.computing) struct ReferenceAugmentationTests {
    /// Columns one pixel wide, black and white by turns: what blurs them makes grey.
    private func stripes(_ side: Int) -> Picture {
        Picture(
            width: side, height: side,
            pixels: (0..<side * side).flatMap { [UInt8](repeating: $0 % side % 2 == 0 ? 0 : 255, count: 3) })
    }

    private func pattern(_ width: Int, _ height: Int) -> Picture {
        Picture(
            width: width, height: height,
            pixels: (0..<width * height).flatMap { place -> [UInt8] in
                let (x, y) = (place % width, place / width)
                return [UInt8](repeating: UInt8((x * x + 7 * y) % 256), count: 3)
            })
    }

    private func zoomed(_ picture: Picture, size: Int, seed: UInt64) -> Picture {
        var generator = Philox(seed: seed, purpose: 1, index: 0)
        let augment = ReferenceAugmentation(size: size, largestZoom: 1.5)
        return augment.cut(picture, side: augment.side(of: picture, &generator))
    }

    @Test func aPictureWithoutPixelsToSpareStaysSharp() {
        for seed: UInt64 in 1...5 { #expect(zoomed(stripes(32), size: 32, seed: seed) == stripes(32)) }
    }

    @Test func aPictureKeepsTheShapeItIsLearntIn() {
        let shape = ModelDescription.Size(width: 12, height: 40)
        let augment = ReferenceAugmentation(size: 32, largestZoom: 1.5)
        var generator = Philox(seed: 1, purpose: 1, index: 0)
        func cut(_ picture: Picture) -> Picture {
            augment.cut(picture, side: augment.side(of: picture, in: shape, &generator), in: shape)
        }
        let sharp = stripes(40).cropped(left: 0, top: 0, width: 12, height: 40)
        #expect(cut(sharp) == sharp)
        let cuts = (0..<5).map { _ in cut(pattern(36, 120)) }
        #expect(cuts.allSatisfy { $0.width == 12 && $0.height == 40 })
        #expect(cuts.contains { $0 != cuts[0] })
    }

    /// A model of several shapes was taught pictures that were resized by its authors' filters; squares stay as before.
    @Test func onlyAShapeOfSeveralIsResizedByItsAuthorsFilters() {
        let (picture, shape) = (pattern(90, 90), ModelDescription.Size(width: 32, height: 32))
        let augment = ReferenceAugmentation(size: 32, largestZoom: 1)
        let (square, shaped) = (augment.cut(picture, side: 32), augment.cut(picture, side: 32, in: shape))
        #expect(square == picture.filling(width: 32, height: 32))
        #expect(shaped == picture.fillingBicubically(width: 32, height: 32) && shaped != square)
        func learnt(_ shapes: [ModelDescription.Size]?) -> [Picture] {
            Concept(name: "rex", className: "dog", references: [picture], shapes: shapes).pictures(size: 32)
        }
        #expect(learnt(nil) == [square] && learnt([shape]) == [shaped])
    }

    /// diffusers' DreamBooth of SDXL: 96 pixels wide resized to 48, the middle 32 begin at 8; 32 of 40 at 4 more.
    @Test func whatIsCutOutKnowsWhereItLay() {
        let origin = PictureOrigin(middleOf: Picture(width: 96, height: 64, filledWith: (0, 0, 0)))
        let (whole, part) = (origin.corner(size: 32), origin.middle(0.8).corner(size: 32))
        #expect(origin.height == 64 && origin.width == 96 && whole.top == 0 && whole.left == 8)
        #expect(part.top == 4 && part.left == 14)
        var generator = Philox(seed: 1, purpose: 1, index: 0)
        let augment = ReferenceAugmentation(size: 32, largestZoom: 1.5)
        func cut(_ picture: Picture) -> PictureOrigin {
            augment.cut(origin, side: augment.side(of: picture, &generator))
        }
        #expect(cut(stripes(32)) == origin, "nothing is cut off a picture without pixels to spare")
        let zoomed = (0..<5).map { _ in cut(stripes(64)) }
        #expect(zoomed.contains { $0.side < origin.side && $0.top > 0 && $0.height == 64 })
    }

    @Test func thereAreAsManyCutsAsSidesToResizeTo() {
        let augment = ReferenceAugmentation(size: 32, largestZoom: 1.5)
        var generator = Philox(seed: 1, purpose: 1, index: 0)
        let sides = Set((0..<1000).map { _ in augment.side(of: stripes(64), &generator) })
        #expect(sides == Set(32...48) && augment.cuts == sides.count)
        #expect(ReferenceAugmentation(size: 32, largestZoom: 1).cuts == 1)
    }

    /// A disc as large as the picture: the more it is enlarged, the less of its corners stays.
    @Test func aLargerPictureIsEnlargedAsFarAsItsPixelsGo() {
        func disc(_ side: Int) -> Picture {
            Picture(
                width: side, height: side,
                pixels: (0..<side * side).flatMap { place -> [UInt8] in
                    let x = Double(place % side) + 0.5 - Double(side) / 2
                    let y = Double(place / side) + 0.5 - Double(side) / 2
                    return [UInt8](repeating: x * x + y * y < Double(side * side) / 4 ? 255 : 0, count: 3)
                })
        }
        func share(_ side: Int, seed: UInt64) -> Double {
            let picture = zoomed(disc(side), size: 32, seed: seed)
            #expect(picture.width == 32 && picture.height == 32)
            return Double(picture.pixels.reduce(0) { $0 + Int($1) }) / Double(255 * picture.pixels.count)
        }
        let seeds: ClosedRange<UInt64> = 1...20
        let quarter = Double.pi / 4
        let little = seeds.map { share(36, seed: $0) }
        let much = seeds.map { share(64, seed: $0) }
        #expect(little.allSatisfy { (quarter - 0.03...0.92).contains($0) }, "36 pixels allow an eighth more: \(little)")
        #expect(much.max()! > 0.95 && much.min()! < 0.85, "64 pixels allow half more: \(much)")
    }
}
