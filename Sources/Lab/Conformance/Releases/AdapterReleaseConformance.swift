import Autograd
import Backbones
import Catalogue
import Checkpoints
import Foundation
import Jobs
import Layers
import Personalization
import Tensors

/// Low-rank adapters in every form they come in, each on the release it is for.
struct AdapterReleaseConformance {
    private let release: ReleaseCase
    /// The release they are for, as `release` names it: "… for ../sdxl".
    private let base: ReleaseCase

    init(_ release: ReleaseCase) throws {
        self.release = release
        let words = try release.text("release").split { $0 == " " || $0 == "," || $0 == ";" }
        guard let name = words.first(where: { $0.hasPrefix("../") }),
            let base = try ReleaseCase(folder: release.path(String(name)))
        else { throw release.problem("it names no release beside it that the adapters are for") }
        self.base = base
    }

    /// Folders and files beside `expected.…`.
    private func adapters() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: release.folder).sorted().filter {
            !$0.hasPrefix("expected.") && !$0.hasPrefix(".")
        }
    }

    // MARK: On a diffusion model

    /// What the network's predictions are recorded as: SDXL's is a U-Net, the others' are transformers.
    private var output: String { release.has("base.unet_out") ? "unet_out" : "transformer_out" }

    func diffusion() throws {
        try compare(nil, share: 1, "base")
        for adapter in try adapters() {
            let update = String(adapter.prefix { $0 != "-" })
            try compare(adapter, share: 1, update)
            if release.has("\(update)_half.\(output)") { try compare(adapter, share: 0.5, "\(update)_half") }
        }
    }

    private func compare(_ adapter: String?, share: Float, _ name: String) throws {
        let model = try DiffusionPipeline(directory: base.folder)
        model.freeze()
        if let adapter {
            let changes = try AdapterChanges(path: release.path(adapter), for: AdapterTargets(model))
            changes.merge(share: share)
            if changes.changeText(of: model) { try compareText(of: model, adapter, name) }
        }
        let text = DiffusionText(
            tokens: .init(try base.tensor("prompt_embeds")), pooled: .init(try base.tensor("pooled")))
        let noise = Variable(try base.tensor("noise"))
        let guidance = Float(try base.number("guidance_scale"))
        let predicted = Recording.withoutGradients {
            model.predicted(noise, timesteps: [release.timestep(of: base)], text: text, guidance: guidance).value
        }
        try release.compare(
            "\(name).\(output)", base.packed(predicted), called: "\(adapter ?? "no adapter"): \(name).\(output)")
    }

    /// What is recorded of the prompt as the model reads it now.
    private func compareText(of model: DiffusionPipeline, _ adapter: String, _ name: String) throws {
        let text = model.prompts([try release.text("prompt")])
        for (part, value) in [("prompt_embeds", text.tokens.value), ("pooled", text.pooled.value)]
        where release.has("\(name).\(part)") {
            try release.compare("\(name).\(part)", value, called: "\(adapter): \(name).\(part)")
        }
    }

    // MARK: On Chameleon

    func chameleon() throws {
        for adapter in [nil] + (try adapters().map(Optional.some)) {
            let model = try ChameleonReleaseConformance.model(of: base)
            if let adapter {
                let targets = AdapterTargets(model.transformerWeights)
                try AdapterChanges(path: release.path(adapter), for: targets).merge()
            }
            // The same adapter in another container has no numbers of its own.
            let name = adapter.map { release.has("\($0).logits") ? $0 : String($0.prefix { $0 != "-" }) } ?? "base"
            let logits = model.transformer.logits(try base.integers("tf.ids").map(Int32.init), batch: 1).value
            let width = logits.width
            let kept = (0..<logits.count).filter { $0 / width % 4 == 0 && $0 % width % 16 == 0 }
            try release.compare(
                "\(name).logits", Tensor(kept.map { logits.pointer[$0] }, shape: [kept.count]),
                called: "\(adapter ?? "no adapter"): \(name).logits")
        }
    }
}

extension AdapterChanges {
    /// Whether some text encoder of a model, CLIP or T5, reads otherwise with them.
    fileprivate func changeText(of model: DiffusionPipeline) -> Bool {
        let encoders = model.weights.filter { $0.key.hasPrefix("text_encoder") }.values
        return changes.contains { change in
            encoders.contains { $0.byName[change.parameter.name] === change.parameter }
        }
    }
}
