import Foundation
import Layers
import Tensors

/// A LoRA adapter as one of Atelier's own: PEFT's tensors under PEFT's names, rank, alpha and targets in the
/// description's options.
extension Adapter {
    /// Whether it is made of low-rank changes, by whatever method they were learnt.
    package var isLoRA: Bool { [.lora, .proxyTuning].contains(description.method) }

    /// Whether it is low-rank changes that were learnt on its concepts' words alone, and act on them however it is
    /// drawn with.
    package var actsOnWords: Bool {
        isLoRA && (try? options(LoRAAdapter.Options.self))?.actsOn == .prompt
    }

    /// - Parameters:
    ///   - description: of method `lora`; its options become the adapter's.
    ///   - word: the model's own that the concept goes by; DreamBooth's unless given.
    package init(_ lora: LoRAAdapter, description: Description, word: String? = nil) throws {
        let known = word.map { KnownConcept(name: description.concept, className: description.className, word: $0) }
        var description = description
        description.options =
            try known.map { try Adapter.options(lora.options, knowing: [$0]) } ?? Description.text(of: lora.options)
        self.init(
            description: description,
            tensors: Dictionary(uniqueKeysWithValues: lora.parameters.map { (LoRAAdapter.prefix + $0.name, $0.value) }))
    }

    /// The LoRA adapter in it, nil where it is of another method.
    /// - Throws: `AdapterError.notAnAdapter` where tensors or options are not LoRA's.
    package func lora() throws(AdapterError) -> LoRAAdapter? {
        guard isLoRA else { return nil }
        func problem(_ reason: String) -> AdapterError { .notAnAdapter(path: description.concept, reason: reason) }
        guard let options = try? JSONDecoder().decode(LoRAAdapter.Options.self, from: Data(description.options.utf8))
        else {
            throw problem("its options are not LoRA's")
        }
        let changes = tensors.filter { !$0.key.hasPrefix("word.") && Adapter.component(of: $0.key) == nil }
        do { return try LoRAAdapter(tensors: changes, options: options) } catch { throw problem("\(error)") }
    }

    /// Adds a share of a LoRA adapter's changes to a model's weights, or beside them; an adapter of another method
    /// changes nothing.
    /// - Throws: `AdapterError` for one that does not fit.
    func mergeLoRA(into weights: Weights, share: Float) throws(AdapterError) {
        guard let lora = try lora() else { return }
        try verifySound(lora, among: weights)
        guard share != 0 else { return }
        do { try lora.join(weights, share: share) } catch {
            throw .notAnAdapter(path: description.concept, reason: "\(error)")
        }
    }
}
