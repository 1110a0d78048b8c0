import Autograd
import Tensors

/// Continues sequences token by token with cached keys and values. Each has a length of its own; nothing records
/// gradients.
package final class ChameleonDecoder {
    private let model: ChameleonTransformer
    private let caches: [KeyValueCache]

    /// - Parameter capacity: tokens of the longest sequence, its prompt included.
    package init(_ model: ChameleonTransformer, sequences: Int, capacity: Int) {
        let c = model.configuration
        precondition(capacity <= c.longestSequence, "\(capacity) tokens; at most \(c.longestSequence) are possible")
        self.model = model
        caches = KeyValueCache.caches(
            blocks: model.blocks.count, batch: sequences, capacity: capacity, width: c.keyHeads * c.headWidth)
    }

    /// Reads the prompts that sequences begin with, each once, as `read` does; returns the logits [sequences, V] after
    /// them.
    func begin(_ prompts: [Int], read: (_ prompt: Int, _ sequence: Int) -> Tensor) -> Tensor {
        caches.begin(prompts, read: read)
    }

    /// Reads a sequence's prompt and returns the logits [1, V] after its last token.
    ///
    /// Contexts stand at positions of this prompt. `bias` [1, T, T] is added to its attention scores.
    package func read(_ ids: [Int32], sequence: Int, contexts: [LayerContext] = [], bias: Tensor? = nil) -> Tensor {
        Recording.withoutGradients {
            let c = model.configuration
            let x = embedded(ids).reshaped([1, ids.count, c.width])
            let states = model.layers(x, rotary: model.rotary.slice(0..<ids.count), contexts: contexts) {
                [caches] layer, q, k, v in
                caches[layer].attend(
                    q, k, v, sequences: sequence..<sequence + 1, heads: c.heads, keyHeads: c.keyHeads,
                    logitScale: c.logitScale,
                    isCausal: true, bias: bias)
            }
            return logits(states.tokens(ids.count - 1..<ids.count))
        }
    }

    /// Adds one token to every sequence and returns the logits [sequences, V] after it.
    package func advance(_ tokens: [Int32]) -> Tensor {
        Recording.withoutGradients {
            let c = model.configuration
            let rotary = model.rotary.gathered(caches[0].counts)
            let states = model.layers(embedded(tokens).reshaped([tokens.count, 1, c.width]), rotary: rotary) {
                [caches] layer, q, k, v in
                caches[layer].attend(q, k, v, heads: c.heads, keyHeads: c.keyHeads, logitScale: c.logitScale)
            }
            return logits(states)
        }
    }

    private func embedded(_ ids: [Int32]) -> Variable { model.embedding.rows(ids) }

    /// [sequences, 1, C] → [sequences, V].
    private func logits(_ states: Variable) -> Tensor {
        model.logits(ofStates: states.reshaped([states.shape[0], states.value.width])).value
    }
}
