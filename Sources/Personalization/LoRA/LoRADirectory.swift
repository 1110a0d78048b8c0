import Checkpoints
import Foundation
import Layers
import Tensors

/// PEFT's format (github.com/huggingface/peft): a directory with `adapter_config.json` and `adapter_model.safetensors`.
extension LoRAAdapter {
    /// What PEFT puts before the names of the wrapped model's modules.
    package static let prefix = "base_model.model."

    private static func configurationPath(_ directory: String) -> String { "\(directory)/adapter_config.json" }
    private static func tensorsPath(_ directory: String) -> String { "\(directory)/adapter_model.safetensors" }

    /// `adapter_config.json`, in its own keys; what is not listed has PEFT's default.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Configuration: Encodable {
        let peft_type = "LORA"
        let r: Int
        let lora_alpha: Float
        /// Ends of modules' names.
        let target_modules: [String]
        let use_rslora: Bool
        let lora_dropout: Float = 0
        let bias = "none"
        let fan_in_fan_out = false
        let inference_mode = true
        let task_type: String?
    }

    /// Reads an adapter that PEFT or `write(_:taskType:)` saved.
    /// - Throws: `LoRAError.notLoRA` for more than low-rank changes of matrices, `CheckpointError` for what
    ///   `AdapterReader` cannot read.
    package init(directory: String) throws {
        let named = try AdapterReader(LoRAAdapter.tensorsPath(directory)).read()
        var tensors: [String: Tensor] = [:]
        var scales: [String: Float] = [:]
        for (module, change) in named.changes {
            guard change.magnitude == nil, !change.isOfTable, named.replaced.isEmpty else {
                throw LoRAError.notLoRA("\(directory) holds more than low-rank changes of matrices")
            }
            tensors["\(LoRAAdapter.prefix)\(module.path).lora_A.weight"] = try change.down.tensor()
            tensors["\(LoRAAdapter.prefix)\(module.path).lora_B.weight"] = try change.up.tensor()
            scales[module.path] = change.scale
        }
        // There is one: the reader refuses a file without.
        let first = named.changes.min { $0.key.path < $1.key.path }!.value
        var options = Options(
            rank: first.rank, alpha: first.scale * Float(first.rank), targets: named.targets ?? scales.keys.sorted())
        options.scales = scales
        try self.init(tensors: tensors, options: options)
    }

    /// Tensors under PEFT's names, `base_model.model.<module>.lora_A.weight` [r, in] and `….lora_B.weight` [out, r].
    /// - Throws: `LoRAError.notLoRA` naming the first module that is incomplete or of another rank.
    package init(tensors: [String: Tensor], options: Options) throws(LoRAError) {
        let endings = [".lora_A.weight", ".lora_B.weight"]
        var updates: [String: LowRankUpdate] = [:]
        for name in tensors.keys.sorted() {
            guard name.hasPrefix(LoRAAdapter.prefix), let ending = endings.first(where: name.hasSuffix) else {
                throw .notLoRA("\(name) is not named \(LoRAAdapter.prefix)<module>.lora_A.weight or .lora_B.weight")
            }
            let wrapped = name.dropLast(ending.count)
            let module = String(wrapped.dropFirst(LoRAAdapter.prefix.count))
            guard let down = tensors[wrapped + endings[0]], let up = tensors[wrapped + endings[1]],
                down.shape.count == 2, up.shape.count == 2, down.shape[0] == up.shape[1],
                options.scales != nil || down.shape[0] == options.rank
            else { throw .notLoRA("\(module) needs lora_A [\(options.rank), in] and lora_B [out, \(options.rank)]") }
            updates[module] = LowRankUpdate(
                down: Parameter(name: module + endings[0], value: down),
                up: Parameter(name: module + endings[1], value: up),
                scale: options.scales?[module] ?? options.scale)
        }
        self.init(options: options, updates: updates)
    }

    /// Writes the two files, which PEFT's `from_pretrained` reads; equal adapters give equal bytes.
    /// - Parameters:
    ///   - taskType: PEFT's word for what the model does, which makes it ask for what such models have; nil of models
    ///     that it has none for.
    ///   - words: what prompts say for the concepts that were learnt, for the header.
    package func write(
        _ directory: String, taskType: String? = nil, words: [(concept: String, word: String)] = []
    ) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let tensors = Dictionary(uniqueKeysWithValues: parameters.map { (LoRAAdapter.prefix + $0.name, $0.value) })
        try Safetensors.write(
            tensors, to: LoRAAdapter.tensorsPath(directory),
            metadata: ["format": "pt"].merging(AdapterFormat.header(of: words)) { $1 })
        let configuration = Configuration(
            r: options.rank, lora_alpha: options.alpha, target_modules: options.targets.sorted(),
            use_rslora: options.isRankStabilized, task_type: taskType)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(configuration).write(
            to: URL(fileURLWithPath: LoRAAdapter.configurationPath(directory)), options: .atomic)
    }
}
