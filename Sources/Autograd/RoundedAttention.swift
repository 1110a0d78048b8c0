import CKernels
import Tensors

/// Attention by the kernels that round to bfloat16, for sizes they are made for.
extension Attention {
    func canRound(_ s: Sizes) -> Bool {
        MatrixPrecision.isRounding && !hasBias && logitScale > 0 && s.queries >= 12 && s.headWidth % 32 == 0
            && s.headWidth <= atelier_attention_most_width
            && s.mostKeys <= atelier_attention_most_keys
    }

    /// Into output [B, T, C], with log Σ exp of every row's scores in sums [B, heads, T].
    func attendRounded(_ o: Operands, _ s: Sizes, output: Tensor, sums: Tensor) {
        parallel(heads, grain: 1) { range in
            // All heads of a sample, whose rows they share, before the next sample's.
            for sample in 0..<s.batch {
                for head in range {
                    withHead(o, s, sample: sample, head: head) { attention in
                        atelier_attention_bfloat16(
                            attention, columns(output, s, sample, head), s.width, row(sums, s, sample, head))
                    }
                }
            }
        }
    }

    /// Into the gradients of query, keys and values, of which the last two are zero before.
    func attendRoundedBackward(
        _ o: Operands, _ d: Operands, _ s: Sizes, output: Tensor, dOutput: Tensor, sums: Tensor
    ) {
        // Keys that several heads share are summed by one thread, in order.
        parallel(heads, grain: group) { range in
            for sample in 0..<s.batch {
                for head in range {
                    let into = d.head(s, sample: sample, head: head, group: group)
                    var gradients = atelier_attention_gradients(
                        q: into.q, k: into.k, v: into.v, q_stride: d.queryStride, k_stride: d.keyStride,
                        v_stride: d.valueStride)
                    withHead(o, s, sample: sample, head: head) { attention in
                        atelier_attention_bfloat16_backward(
                            attention, &gradients, columns(output, s, sample, head), columns(dOutput, s, sample, head),
                            s.width,
                            row(sums, s, sample, head))
                    }
                }
            }
        }
    }

    /// Where a head of [B, T, C] begins.
    private func columns(_ x: Tensor, _ s: Sizes, _ sample: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
        x.pointer + sample * s.queries * s.width + head * s.headWidth
    }

    /// Where a head of [B, heads, T] begins.
    private func row(_ x: Tensor, _ s: Sizes, _ sample: Int, _ head: Int) -> UnsafeMutablePointer<Float> {
        x.pointer + (sample * heads + head) * s.queries
    }

    private func withHead(
        _ o: Operands, _ s: Sizes, sample: Int, head: Int, _ body: (UnsafePointer<atelier_attention>) -> Void
    ) {
        let at = o.head(s, sample: sample, head: head, group: group)
        func call(_ visible: UnsafePointer<Int32>?) {
            var attention = atelier_attention(
                q: at.q, k: at.k, v: at.v, q_stride: o.queryStride, k_stride: o.keyStride, v_stride: o.valueStride,
                queries: s.queries, keys: s.ranges[sample].count, width: s.headWidth, visible: visible,
                logit_scale: logitScale)
            body(&attention)
        }
        if let visible { visible.withUnsafeBufferPointer { call($0.baseAddress) } } else { call(nil) }
    }
}

extension Attention.Operands {
    /// Where a head of a sample begins.
    fileprivate func head(
        _ s: Attention.Sizes, sample: Int, head: Int, group: Int
    ) -> (q: UnsafeMutablePointer<Float>, k: UnsafeMutablePointer<Float>, v: UnsafeMutablePointer<Float>) {
        let column = head / group * s.headWidth
        let first = s.ranges[sample].lowerBound
        return (
            q + sample * s.queries * queryStride + head * s.headWidth, k + first * keyStride + column,
            v + first * valueStride + column
        )
    }
}
