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
    private struct Configuration: Codable {
        /// Ends of modules' names, or one expression.
        enum TargetModules: Codable {
            case names([String])
            case expression(String)

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let expression = try? value.decode(String.self) {
                    self = .expression(expression)
                } else {
                    self = .names(try value.decode([String].self))
                }
            }

            func encode(to encoder: any Encoder) throws {
                var value = encoder.singleValueContainer()
                switch self {
                case .names(let names): try value.encode(names)
                case .expression(let expression): try value.encode(expression)
                }
            }

            var names: [String]? { if case .names(let names) = self { names } else { nil } }
        }

        var peft_type = "LORA"
        var r: Int
        var lora_alpha: Float
        var target_modules: TargetModules
        var use_rslora: Bool?
        var lora_dropout: Float? = 0
        var bias: String? = "none"
        var fan_in_fan_out: Bool? = false
        var inference_mode: Bool? = true
        var base_model_name_or_path: String?
        var task_type: String? = "CAUSAL_LM"
        var rank_pattern: [String: Int]?
        var alpha_pattern: [String: Float]?
        // Not supported; read to refuse them.
        var use_dora: Bool?
        var lora_bias: Bool?
        var modules_to_save: [String]?

        /// Whether ranks or alphas differ between modules.
        var hasPatterns: Bool { rank_pattern?.isEmpty == false || alpha_pattern?.isEmpty == false }

        var unsupported: String? {
            if peft_type != "LORA" { return "peft_type is \(peft_type); LORA is needed" }
            if bias ?? "none" != "none" || lora_bias == true { return "adapters with biases are not supported" }
            if use_dora == true { return "use_dora is not supported" }
            if fan_in_fan_out == true { return "fan_in_fan_out is not supported" }
            if !(modules_to_save ?? []).isEmpty { return "modules_to_save is not supported" }
            return nil
        }
    }

    /// Reads an adapter that PEFT or `write(_:baseModel:)` saved.
    /// - Throws: `LoRAError.unsupported` for what PEFT can save and this reader cannot use, `LoRAError.notLoRA` for
    ///   other tensors, `CheckpointError` for a damaged file.
    package init(directory: String) throws {
        let path = LoRAAdapter.configurationPath(directory)
        func problem(_ text: String) -> LoRAError { .unsupported(path: path, text) }
        guard let data = FileManager.default.contents(atPath: path) else { throw problem("it cannot be read") }
        guard let configuration = try? JSONDecoder().decode(Configuration.self, from: data), configuration.r > 0 else {
            throw problem("r (above 0), lora_alpha and target_modules (a list or an expression) are needed")
        }
        if let reason = configuration.unsupported { throw problem(reason) }
        let tensors = try Checkpoint.tensors(LoRAAdapter.tensorsPath(directory))
        let ranks = LoRAAdapter.ranks(tensors)
        let settings = AdapterSettings(try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:])
        if let module = ranks.keys.sorted().first(where: { !settings.mayMean($0) }) {
            throw problem("target_modules does not match \(module), which the file changes")
        }
        var options = Options(
            rank: configuration.r, alpha: configuration.lora_alpha,
            targets: configuration.target_modules.names ?? ranks.keys.sorted(),
            isRankStabilized: configuration.use_rslora ?? false)
        if configuration.hasPatterns { options.scales = try LoRAAdapter.scales(ranks, settings) }
        try self.init(tensors: tensors, options: options)
    }

    /// The rank of every module's update.
    private static func ranks(_ tensors: [String: Tensor]) -> [String: Int] {
        let ending = ".lora_A.weight"
        var ranks: [String: Int] = [:]
        for (name, tensor) in tensors where name.hasPrefix(prefix) && name.hasSuffix(ending) {
            ranks[String(name.dropFirst(prefix.count).dropLast(ending.count))] = tensor.shape.first
        }
        return ranks
    }

    /// The factor of every module's update by the patterns of ranks and alphas.
    /// - Throws: `LoRAError.notLoRA` naming a module of another rank than its pattern's.
    private static func scales(
        _ ranks: [String: Int], _ settings: AdapterSettings
    ) throws(LoRAError) -> [String: Float] {
        var scales: [String: Float] = [:]
        for (module, rank) in ranks.sorted(by: { $0.key < $1.key }) {
            if let wanted = settings.rank(of: module), wanted != rank {
                throw .notLoRA("\(module) has rank \(rank), adapter_config.json says \(wanted)")
            }
            scales[module] = settings.scale(of: module, rank: rank)
        }
        return scales
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
    package func write(_ directory: String, baseModel: String? = nil) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let tensors = Dictionary(uniqueKeysWithValues: parameters.map { (LoRAAdapter.prefix + $0.name, $0.value) })
        try Safetensors.write(tensors, to: LoRAAdapter.tensorsPath(directory), metadata: ["format": "pt"])
        let configuration = Configuration(
            r: options.rank, lora_alpha: options.alpha, target_modules: .names(options.targets.sorted()),
            use_rslora: options.isRankStabilized,
            base_model_name_or_path: baseModel)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(configuration).write(
            to: URL(fileURLWithPath: LoRAAdapter.configurationPath(directory)), options: .atomic)
    }
}
