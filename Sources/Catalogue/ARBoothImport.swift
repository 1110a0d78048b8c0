import Checkpoints
import Foundation
import Jobs

/// ARBooth's released fine-tunes of Infinity (jiwoogit/ARBooth): a whole transformer whose cross-attention and
/// feed-forward were tuned, and rows that stand for the subject in the text encoder's output.
package struct ARBoothImport {
    /// The rows' name, [n, D].
    package static let rows = "special_token"
    /// What its code tunes in every block; the rest is the model's, but for rounding: blocks are kept in bfloat16.
    private static let tuned = [".ca.", ".ffn."]
    private static let roundingShare: Float = 1 / 64

    private let base: Checkpoint
    private let fineTune: Checkpoint

    /// Nil where a file is no such fine-tune: one of ours that came of such an import has its rows too.
    /// - Parameter base: the model's transformer.
    init?(_ path: String, base: Checkpoint) {
        guard let found = try? Checkpoint.open(path), found.contains(Self.rows),
            found.metadata["format"] != AdapterReader.ownFormat
        else { return nil }
        (self.base, fineTune) = (base, found)
    }

    /// How many rows stand for a mention; nil where they cannot be read.
    var rowCount: Int? { try? fineTune.tensor(Self.rows).shape.first }

    /// The rows, and the tuned weights that are others than the model's.
    /// - Throws: `AdapterImport.Refusal` naming everything that does not fit the model, `CheckpointError`.
    func tensors() throws -> [RearrangedTensor] {
        var (problems, changed): ([String], [RearrangedTensor]) = ([], [])
        for name in base.names where !base.isScale(name) {
            let own = try base.tensor(name)
            guard own.type?.isReal == true else { continue }
            guard fineTune.contains(name), let its = try? fineTune.tensor(name), its.shape == own.shape else {
                problems.append("\(name) is not there, or of another shape than the model's")
                continue
            }
            let values = try its.floats()
            guard values.allSatisfy(\.isFinite) else {
                problems.append("\(name) holds values that are no numbers")
                continue
            }
            let share = try Self.difference(base.values(of: name), values)
            if Self.tuned.contains(where: name.contains) {
                if share > 0 { changed.append(RearrangedTensor(name, its)) }
            } else if share > Self.roundingShare {
                problems.append("\(name) differs from the model's: it was tuned on another model, or more was tuned")
            }
        }
        let rows = try fineTune.tensor(Self.rows)
        if rows.shape.count != 2 || rows.shape.last != (try? base.shape(of: "text_norm.weight").last) {
            problems.append("\(Self.rows) has the shape \(rows.shape), which is none of the model's text features")
        } else if try !rows.floats().allSatisfy(\.isFinite) {
            problems.append("\(Self.rows) holds values that are no numbers")
        }
        guard problems.isEmpty else {
            throw AdapterImport.Refusal(problems: problems.prefix(16).map { "\(fineTune.path): \($0)" })
        }
        return changed + [RearrangedTensor(Self.rows, rows)]
    }

    /// The largest difference, as a share of the largest number.
    private static func difference(_ own: [Float], _ its: [Float]) -> Float {
        var (most, size): (Float, Float) = (0, 0)
        for i in own.indices {
            most = max(most, abs(own[i] - its[i]))
            size = max(size, abs(own[i]))
        }
        return most == 0 ? 0 : most / max(size, .leastNormalMagnitude)
    }
}
