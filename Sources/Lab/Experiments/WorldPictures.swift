import Foundation
import Images
import LittleWorld

/// Pictures of Little World, for looking at and for trying Atelier out.
package struct WorldPictures {
    private let sheet, album, manners, references: String?
    private let subject: Int
    private let seed: UInt64

    /// - Parameters:
    ///   - sheet: a file for every class in every style; nil writes none.
    ///   - album: a file for scenes as training sees them; nil writes none.
    ///   - manners: a file for the same, each in a manner of painting of its own; nil writes none.
    ///   - references: a folder for an individual's pictures, its class's noun and a style's picture; nil writes none.
    ///   - subject: the individual's number.
    ///   - seed: of album and manners.
    package init(sheet: String?, album: String?, manners: String?, references: String?, subject: Int, seed: UInt64) {
        self.sheet = sheet
        self.album = album
        self.manners = manners
        self.references = references
        self.subject = subject
        self.seed = seed
    }

    /// - Throws: what the file system says.
    package func write() throws {
        if let sheet { try LittleWorld.sheet().writePNG(sheet) }
        if let album { try LittleWorld.sheet(rows: 10, columns: 14, seed: seed).writePNG(album) }
        if let manners {
            try LittleWorld.sheet(rows: 10, columns: 14, seed: seed, inManners: true).writePNG(manners)
        }
        if let references { try writeReferences(to: references) }
    }

    /// A subject that no embedded model has ever seen, as a user's four photographs, and something else in a style that
    /// none has seen.
    private func writeReferences(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let kinds = SubjectClass.allCases
        let individual = Subject.heldOut(kinds[subject % kinds.count], index: subject / kinds.count)
        for (number, scene) in individual.references(count: 4).enumerated() {
            try scene.paint(size: 64).writePNG("\(folder)/\(number + 1).png")
        }
        try LittleWorld.example(of: .woodcut).paint(size: 64).writePNG("\(folder)/style.png")
        try (individual.kind.name + "\n").write(toFile: "\(folder)/class.txt", atomically: true, encoding: .utf8)
    }
}
