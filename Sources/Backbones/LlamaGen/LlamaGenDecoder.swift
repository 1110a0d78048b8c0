import Autograd
import Tensors

/// Continues pictures code by code with cached keys and values; nothing records gradients. Padding is never read: it
/// would be seen by nothing.
package final class LlamaGenDecoder {
    private let model: LlamaGenTransformer
    private let caches: [KeyValueCache]
    /// Codes every picture holds.
    private var count = 0

    /// - Parameter sequences: captions that are continued at the same time.
    package init(_ model: LlamaGenTransformer, sequences: Int) {
        let c = model.configuration
        self.model = model
        caches = KeyValueCache.caches(
            blocks: model.blocks.count, batch: sequences, capacity: c.captionLength + c.side * c.side,
            width: c.keyWidth)
    }

    /// Reads the captions that pictures begin with, each once, as `read` does; returns the logits [sequences, V] of
    /// their first codes.
    func begin(_ captions: [Int], read: (_ caption: Int, _ sequence: Int) -> Tensor) -> Tensor {
        caches.begin(captions, read: read)
    }

    /// Reads a caption's real features [L, D] and returns the logits [1, V] of its picture's first code.
    package func read(_ caption: Tensor, sequence: Int) -> Tensor {
        Recording.withoutGradients {
            let c = model.configuration
            let length = caption.rows
            precondition(length > 0 && length <= c.captionLength, "a caption of \(length) features")
            let x = model.prefix(Variable(caption.reshaped([1, length, c.captionWidth])))
            let rotary = model.rotary.slice(c.captionLength - length..<c.captionLength)
            let states = layers(x, rotary: rotary, sequences: sequence..<sequence + 1)
            return logits(states.tokens(length - 1..<length))
        }
    }

    /// Adds one code to every picture and returns the logits [sequences, V] of the next.
    package func advance(_ codes: [Int32]) -> Tensor {
        Recording.withoutGradients {
            let c = model.configuration
            let place = c.captionLength + count
            let x = model.embedded(codes).reshaped([codes.count, 1, c.width])
            let states = layers(x, rotary: model.rotary.slice(place..<place + 1), sequences: 0..<codes.count)
            count += 1
            return logits(states)
        }
    }

    private func layers(_ x: Variable, rotary: RotaryTable, sequences: Range<Int>) -> Variable {
        let c = model.configuration
        let keys = c.width..<c.width + c.keyWidth
        let values = keys.upperBound..<keys.upperBound + c.keyWidth
        var x = x
        for (layer, block) in model.blocks.enumerated() {
            x = block(x, rotary: rotary) { qkv in
                caches[layer].attend(
                    qkv.columns(0..<c.width), qkv.columns(keys), qkv.columns(values), sequences: sequences,
                    heads: c.heads, keyHeads: c.keyHeads, logitScale: c.logitScale,
                    isCausal: sequences.count == 1 && x.shape[1] > 1)
            }
        }
        return x
    }

    /// [sequences, 1, C] → [sequences, V].
    private func logits(_ states: Variable) -> Tensor {
        model.logits(ofStates: states.reshaped([states.shape[0], states.shape[2]])).value
    }
}
