import Checkpoints
import Jobs

/// A release as a model of ours: what its description will say, and where each of its parts comes from.
package struct RecognizedRelease: Sendable {
    /// Weights of the model, and the piece they come from.
    package struct Part: Sendable {
        /// `NAME.safetensors` of the model's folder, without the ending.
        package let stem: String
        /// Where the weights are read from.
        package let piece: ReleasePiece
        /// Which tensors are taken.
        package var isTaken: @Sendable (String) -> Bool = { _ in true }
        /// The tensors in the place of those that are taken, where a release has them under other names or in another
        /// order than models do.
        package var rearranged: (@Sendable () throws(CheckpointError) -> [RearrangedTensor])?
    }

    /// Which of the families the model is of.
    package var family: ModelFamily
    /// What it is, for people: "Infinity 2b".
    package var title: String
    /// `config.json` of the model it becomes.
    package var configuration: JSONValue
    /// In no order.
    package var parts: [Part]
    /// Files that are taken as they are, by the name they get.
    package var files: [String: String]
    /// Settings that no file of the release says, by the name of the file they are written to.
    package var texts: [String: JSONValue] = [:]
    /// What can be used and should be looked at.
    package var warnings: [String] = []
}

/// What keeps files from being a model: everything at once.
package struct UnrecognizedRelease: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence each.
    package let problems: [String]
    /// A line a problem.
    package var description: String { problems.joined(separator: "\n") }
}

/// What the user says of a release that its files do not.
package struct ReleaseWishes: Sendable {
    /// Where the files would be of several families.
    package var family: ModelFamily?
    /// Infinity: numbers of pixels as its authors write them (0.06M, 0.25M, 0.60M, 1M).
    package var pixels: String?
    /// Height over width of the pictures, 0.333 to 3.
    package var ratio = 1.0
    /// Pixels on a side of a square picture, at most 4096, where the family leaves it open.
    package var side: Int?
    /// Heads of the attention, where neither shapes nor settings tell them.
    package var heads: Int?

    /// Nothing is wished.
    package init() {}
}
