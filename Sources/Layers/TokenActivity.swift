import Autograd
import Tensors

/// Which tokens of the text that is being read, or learnt from, a low-rank change acts on; nothing else feels it while
/// there is one (FreeLoRA's subject-aware inference, arXiv 2507.01792).
package final class TokenActivity {
    /// Rows of the text [rows, C] it acts on, and how many rows the text has, a picture's that are read with it among
    /// them; nil while no text is read.
    package var text: (active: [Int], rows: Int)?

    package init() {}
}

extension LowRankUpdate {
    /// y [.., out] of x [.., in] with the change: of all rows, or of those that are active.
    func added(to y: Variable, of x: Variable) -> Variable {
        guard let activity else { return y + self(x) }
        guard let text = activity.text, text.rows == x.value.rows, !text.active.isEmpty else { return y }
        let some = text.active.map { Int32($0) }
        let rows = y.reshaped([text.rows, y.value.width])
        let changed =
            Gather(some).apply([rows]) + self(Gather(some).apply([x.reshaped([text.rows, x.value.width])]))
        return ReplaceRows(text.active).apply([rows, changed]).reshaped(y.shape)
    }
}
