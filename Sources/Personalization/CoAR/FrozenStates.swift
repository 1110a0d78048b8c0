import Autograd
import Backbones
import Images
import Tensors

/// What a frozen Chameleon holds at the input of its first layers: where context vectors start.
struct FrozenStates {
    let model: ChameleonModel
    let layers: Int

    /// The mean over all codes of the references, of any of the model's sizes, after `prompt` [N, C].
    func meanOfCodes(_ prompt: String, references: [Picture]) -> Tensor {
        let codeIDs = model.configuration.vocabulary.codeIDs
        let sum = Tensor(zeros: [layers, model.configuration.transformer.width])
        for picture in model.encoded(references) {
            let before = model.drawing(picture.grid).ids(before: prompt).count
            let ids = model.sequence(prompt, of: picture).ids
            let places = ids.indices.filter { $0 >= before && codeIDs.contains(Int(ids[$0])) }
            for (layer, state) in states(ids).enumerated() {
                for place in places {
                    sum.slice(layer..<layer + 1).accumulate(
                        state.slice(place..<place + 1), scale: 1 / Float(places.count))
                }
            }
        }
        let mean = Tensor(zeros: sum.shape)
        mean.accumulate(sum, scale: 1 / Float(references.count))
        return mean
    }

    /// The states at one position [N, C].
    func states(_ ids: [Int32], at place: Int) -> Tensor { .joined(states(ids).map { $0.slice(place..<place + 1) }) }

    /// [T, C] at the input of every layer asked for.
    private func states(_ ids: [Int32]) -> [Tensor] {
        Recording.withoutGradients {
            model.transformer.layerInputs(ids, batch: 1).prefix(layers).map {
                $0.value.reshaped([ids.count, $0.value.width])
            }
        }
    }
}
