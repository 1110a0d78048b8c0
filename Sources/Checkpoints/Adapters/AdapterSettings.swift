import Foundation

/// What PEFT says of an adapter beside its tensors, in `adapter_config.json` or in the header of diffusers' file.
struct AdapterSettings {
    private let members: [String: Any]

    init(_ members: [String: Any]) { self.members = members }

    /// Those of a component in diffusers' header: `unet.lora_alpha` …; without a prefix where the file is of a network
    /// alone, as diffusers' `save_lora_adapter` writes it.
    init(_ members: [String: Any], of component: String?) {
        guard let prefix = component.map({ $0 + "." }) else {
            self.init(members.filter { !$0.key.contains(".") })
            return
        }
        let own = members.filter { $0.key.hasPrefix(prefix) }
        self.init(
            Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value) }))
    }

    private func flag(_ name: String) -> Bool { members[name] as? Bool ?? false }
    private func number(_ value: Any?) -> Float? { (value as? NSNumber)?.floatValue }

    /// What cannot be used, or nil.
    var unsupported: String? {
        let kind = members["peft_type"] as? String ?? "LORA"
        if kind != "LORA" { return "peft_type is \(kind); LORA is needed" }
        if members["bias"] as? String ?? "none" != "none" || flag("lora_bias") { return "biases are not built" }
        if let tokens = members["alora_invocation_tokens"], !(tokens is NSNull) {
            return "alora_invocation_tokens: an adapter that sets in after some tokens only is not built"
        }
        if let start = members["init_lora_weights"] as? String,
            ["pissa", "olora", "corda", "loftq", "lora_ga"].contains(where: { start.lowercased().hasPrefix($0) })
        {
            return "init_lora_weights is \(start): it was learnt on other weights than the model's; convert it first"
        }
        let unbuilt = [
            "layer_replication", "use_qalora", "use_bdlora", "arrow_config", "kasa_config", "trainable_token_indices",
        ]
        for name in unbuilt {
            guard let value = members[name], !asksForNothing(value) else { continue }
            return "\(name) is not built"
        }
        if flag("fan_in_fan_out") { return "fan_in_fan_out is not built" }
        if members["lora_alpha"] != nil, number(members["lora_alpha"]) == nil { return "lora_alpha is no number" }
        return malformed
    }

    /// What names an expression that is none; without it modules would have another rank or scale than they learnt by.
    private var malformed: String? {
        for name in ["rank_pattern", "alpha_pattern"] {
            let keys = (members[name] as? [String: Any] ?? [:]).keys.sorted()
            if let key = keys.first(where: { Self.expression($0) == nil }) { return "\(name): \(key) is no expression" }
        }
        return nil
    }

    /// What Python takes for false: whoever writes every setting down writes such too.
    private func asksForNothing(_ value: Any) -> Bool {
        value is NSNull || value as? Bool == false || (value as? [Any])?.isEmpty == true
            || (value as? [String: Any])?.isEmpty == true
    }

    /// The modules it changes, by the ends of their names; nil where they are not all named, or not of every layer.
    var targets: [String]? {
        let isNarrowed = ["layers_to_transform", "layers_pattern", "exclude_modules"].contains {
            members[$0] != nil && !(members[$0] is NSNull) && (members[$0] as? [Any])?.isEmpty != true
        }
        return isNarrowed ? nil : members["target_modules"] as? [String]
    }

    /// Whether `target_modules` may mean a module: an expression must match its whole path (`re.fullmatch`); a list, or
    /// the word for all linear layers, is not held against it.
    func mayMean(_ module: String) -> Bool {
        guard let text = members["target_modules"] as? String, text.lowercased() != "all-linear" else { return true }
        return Self.matches(text, module)
    }

    /// Whether it is DoRA.
    var saysDoRA: Bool { flag("use_dora") }

    /// PEFT's alpha where its settings say none.
    private static let usualAlpha: Float = 8

    /// The factor of a module's update of a rank: α/r, or α/√r; 1 where there are no settings.
    func scale(of module: String, rank: Int) -> Float {
        let usual = members.isEmpty ? Float(rank) : Self.usualAlpha
        let alpha = pattern("alpha_pattern", module) ?? number(members["lora_alpha"]) ?? usual
        return alpha / (flag("use_rslora") ? Float(rank).squareRoot() : Float(rank))
    }

    /// The rank a module must have, where one is said.
    func rank(of module: String) -> Int? {
        (pattern("rank_pattern", module) ?? number(members["r"])).map { Int($0) }
    }

    /// A pattern's key is an expression that the end of the path must match, from a dot on.
    private func pattern(_ name: String, _ module: String) -> Float? {
        guard let patterns = members[name] as? [String: Any] else { return nil }
        let fitting = patterns.sorted { $0.key < $1.key }.first { Self.matches("(?:.*\\.)?(?:\($0.key))", module) }
        return fitting.flatMap { number($0.value) }
    }

    /// An expression of Python's that is to match a whole text; nil where it is malformed. Python writes groups with
    /// names as `(?P<name>…)`, and what stands for them as `(?P=name)`.
    private static func expression(_ text: String) -> NSRegularExpression? {
        let groups = text.replacing("(?P<", with: "(?<").replacing(/\(\?P=(\w+)\)/) { "\\k<\($0.1)>" }
        return try? NSRegularExpression(pattern: "^(?:\(groups))$")
    }

    /// Whether an expression matches a whole text; a malformed one matches none.
    private static func matches(_ expression: String, _ text: String) -> Bool {
        guard let expression = Self.expression(expression) else { return false }
        return expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
    }
}
