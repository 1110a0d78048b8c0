import ArgumentParser
import Hashing
import Lab

struct World: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Paint pictures of Little World, the world the embedded models live in.")

    @Option(help: "Write a contact sheet of every class in every style to this PNG file.") var sheet: String?
    @Option(help: "Write a contact sheet of scenes as training sees them to this PNG file.") var album: String?
    @Option(help: "Write the same, each in a manner of painting that has no name, to this PNG file.")
    var manners: String?
    @Option(
        help:
            """
            Write four reference pictures of one subject (1.png … 4.png), class.txt and a picture in an unseen style \
            (style.png) into this folder.
            """
    ) var references: String?
    @Option(help: "Which subject --references paints, by number.") var subject = 0
    @Option(help: "Seed of album and manners.") var seed: UInt64 = 1

    func validate() throws {
        guard [sheet, album, manners, references].contains(where: { $0 != nil }) else {
            throw ValidationError(
                "nothing to paint: give --sheet FILE, --album FILE, --manners FILE, --references FOLDER, or several")
        }
        guard subject >= 0 else { throw ValidationError("--subject \(subject): must be 0 or more") }
    }

    func run() throws {
        for file in [sheet, album, manners].compactMap({ $0 }) { try OutputPlace.file(file) }
        if let references { try OutputPlace.folder(references) }
        try WorldPictures(
            sheet: sheet, album: album, manners: manners, references: references, subject: subject, seed: seed
        ).write()
    }
}
