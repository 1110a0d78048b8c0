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
    }

    let key: Key
    let className: String
    /// By metric and encoder.
    let scores: [String: Double]
    /// For learning; nil where nothing was learned, as are the next two.
    var seconds: Double? = nil
    var parameters: Int? = nil
    var adapterBytes: Int? = nil
    /// The program that made it.
    var engine: String? = nil
}
