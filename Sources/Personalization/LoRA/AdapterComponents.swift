import Checkpoints
import Foundation
import Layers
import Tensors

/// Low-rank changes of more than the network's matrices, as imported adapters have them: of text encoders, and of
/// kernels. They stand under diffusers' names (`text_encoder.<module>.lora_A.weight`) and act on every word.
extension Adapter {
    /// What a tensor is of: `text_encoder`; nil: of the network's matrices, or no low-rank change.
    static func component(of name: String) -> String? {
        NamedChanges.components.first { name.hasPrefix($0 + ".") && name.contains(".lora_") }
    }

    /// Whether it changes more than the network's matrices.
    var changesComponents: Bool { isLoRA && held.keys.contains { Adapter.component(of: $0) != nil } }

    /// Adds a share of these changes to the weights of a model's components, by their names.
    /// - Throws: `AdapterError.unknownWeight` for one without a place, `AdapterError.excessive`; weights before it may
    ///   have changed then.
    func mergeComponents(into components: [String: Weights], share: Float) throws(AdapterError) {
        let names = held.keys.filter { Adapter.component(of: $0) != nil && $0.hasSuffix(".lora_A.weight") }.sorted()
        guard isLoRA, share != 0, !names.isEmpty else { return }
        let scales = try lora()?.options.scales ?? [:]
        for name in names {
            let path = String(name.dropLast(".lora_A.weight".count))
            let component = Adapter.component(of: name)!
            let module = path.dropFirst(component.count + 1)
            guard let down = held[name]?.tensor, let up = held[path + ".lora_B.weight"]?.tensor,
                let scale = scales[path], let parameter = components[component]?.byName["\(module).weight"]
            else { throw .unknownWeight(concept: description.concept, name: path) }
            let change = LowRankChange(down: down, up: up, scale: scale)
            guard change.fits(parameter.shape) else {
                throw .unknownWeight(concept: description.concept, name: path)
            }
            let matrix = change.matrix
            try verifySound(matrix.sumOfSquares, of: path, beside: parameter.sumOfSquares)
            parameter.value.accumulate(matrix, scale: share)
        }
    }
}
