import ComputeTesting
import Images
import ModelTesting
import Testing

@testable import Lab

@Suite(.computing) struct EncoderFiguresTests {
    @Test(arguments: [
        (EncoderTraining.Kind.clip, ["caption finds picture", "class named right", "picture finds caption"]),
        (EncoderTraining.Kind.dino, ["same class nearest", "same individual nearest"]),
    ])
    func anEncodersFolderIsScored(_ kind: EncoderTraining.Kind, names: [String]) throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        let figures = try withExtendedLifetime(tiny) {
            try EncoderFigures.figures(kind, directory: "\(tiny.folder)/tiny-\(kind.rawValue)")
        }
        #expect(figures.keys.sorted() == names)
        for (name, share) in figures { #expect((0...1).contains(share), "\(name) \(share)") }
        // Whoever guesses is right at times.
        #expect(figures.values.contains { $0 > 0 })
    }

    /// Nine pictures a row, 16 pixels wide, two apart.
    @Test(arguments: [(EncoderTraining.Kind.clip, 12), (EncoderTraining.Kind.dino, 13)])
    func aScoredEncodersNeighboursAreDrawn(_ kind: EncoderTraining.Kind, rows: Int) throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        try withExtendedLifetime(tiny) {
            let file = "\(tiny.folder)/neighbours.png"
            _ = try EncoderFigures.figures(kind, directory: "\(tiny.folder)/tiny-\(kind.rawValue)", sheet: file)
            let sheet = try Picture(pngFile: file)
            #expect(sheet.width == 9 * 18 + 2 && sheet.height == rows * 18 + 2, "\(sheet.width)×\(sheet.height)")
        }
    }
}
