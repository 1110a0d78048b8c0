import Autograd
import Tensors

/// A sequence to learn from: what is read, and what each position must say next.
package struct ChameleonSequence {
    /// [T]; the last one is read, and nothing asked of it.
    package var ids: [Int32]
    /// The next id of every position, −1 where nothing is asked for.
    package var labels: [Int32]

    /// `before` is given; `picture` must be said, one token after the other, from the last token of `before` on.
    package init(before: [Int32], picture: [Int32]) {
        ids = before + picture
        labels = [Int32](repeating: -1, count: before.count - 1) + picture + [-1]
    }

    /// The positions that must say something.
    package var asked: Range<Int> { (labels.firstIndex { $0 >= 0 } ?? 0)..<(labels.lastIndex { $0 >= 0 } ?? -1) + 1 }
}

/// Sequences side by side, shorter ones filled up at their end; causal attention never looks there.
package struct ChameleonBatch {
    /// [B · T]; filled up with id 0.
    package let ids: [Int32]
    /// [B · T]; −1 where nothing is asked for, the filling among it.
    package let labels: [Int32]
    /// B, the sequences.
    package let count: Int

    /// - Parameter sequences: of any lengths; T is the longest's.
    package init(_ sequences: [ChameleonSequence]) {
        let longest = sequences.map(\.ids.count).max() ?? 0
        ids = sequences.flatMap { $0.ids + [Int32](repeating: 0, count: longest - $0.ids.count) }
        labels = sequences.flatMap { $0.labels + [Int32](repeating: -1, count: longest - $0.labels.count) }
        count = sequences.count
    }

    /// Mean cross-entropy of logits [B, T, V] over everything asked for.
    package func loss(_ logits: Variable) -> Variable {
        CrossEntropy(targets: labels).apply([logits.reshaped([labels.count, logits.value.width])])
    }
}
