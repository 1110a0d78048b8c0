import Foundation

/// What one variant makes of one subject from one seed: a line in a file of results.
struct TableCell: Codable, Equatable {
    /// Which cell it is, and what it was made of.
    struct Key: Codable, Hashable {
        let variant: String
        let subject: Int
        let seed: UInt64
        /// Of settings, options, model and encoders: with any other the cell is another.
        let inputs: String

        /// Of files that belong to it.
        var name: String { "\(variant)-\(subject)-\(seed)-\(inputs)" }

        /// Where all that is random about the cell comes from.
        var randomness: UInt64 { Key.randomness(seed, of: subject) }

        /// Where all that is random about a subject's cells of a seed comes from: every variant's are alike, and no two
        /// subjects', for what one noise does to all of them would not show in how far they differ.
        static func randomness(_ seed: UInt64, of subject: Int) -> UInt64 {
            seed &+ UInt64(subject) &* 0x9E37_79B9
        }
    }

    let key: Key
    let className: String
    /// By metric and encoder; `PromptAccuracy`'s by its keys.
    var scores: [String: Double]
    /// For learning; nil where nothing was learned, as are the next two.
    var seconds: Double? = nil
    var parameters: Int? = nil
    var adapterBytes: Int? = nil
    /// The program that made it.
    var engine: String? = nil
    /// The classifier that saw its pictures; nil where none has yet.
    var classifier: String? = nil
}
