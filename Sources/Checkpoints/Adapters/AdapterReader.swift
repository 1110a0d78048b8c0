import Foundation

/// Reads low-rank adapters in every form they come in.
package struct AdapterReader {
    private let checkpoint: Checkpoint
    private let path: String

    /// - Parameter path: a file, or a folder that holds one.
    /// - Throws: `CheckpointError`.
    package init(_ path: String) throws(CheckpointError) {
        checkpoint = try Checkpoint.open(path)
        self.path = path
    }

    private func problem(_ text: String) -> CheckpointError { CheckpointError(path: path, problem: text) }

    /// - Throws: `CheckpointError` for what is no adapter, of a kind that is not built, or damaged.
    package func read() throws -> NamedChanges {
        let names = checkpoint.names
        if let kind = names.first(where: { $0.contains("lora_mid") || $0.contains(".hada_") || $0.contains(".lokr_") })
        {
            throw problem("\(kind): Tucker, LoHa and LoKr adapters are not built; LoRA is")
        }
        if names.contains(where: { $0.hasSuffix(".dora_scale") }) { throw problem("DoRA in kohya's form is not built") }
        if checkpoint.metadata["format"] == Self.ownFormat { return try own() }
        if names.contains(where: { $0.hasPrefix("base_model.model.") }) { return try peft() }
        if names.contains(where: { $0.hasSuffix(".lora_down.weight") && Self.isKohyas($0) }) { return try kohya() }
        return try diffusers()
    }

    private func tensor(_ name: String) throws -> StoredTensor { try checkpoint.tensor(name) }

    /// The changes of modules whose parts are all there.
    private func whole(
        _ parts: [NamedChanges.Module: ChangeParts], _ scale: (NamedChanges.Module, ChangeParts, Int) throws -> Float
    ) throws -> [NamedChanges.Module: NamedChanges.Change] {
        var changes: [NamedChanges.Module: NamedChanges.Change] = [:]
        for (module, part) in parts {
            guard let down = part.down, let up = part.up, down.shape.count > 1 else {
                throw problem("\(module.description) has only one of its two matrices")
            }
            changes[module] = NamedChanges.Change(
                down: down, up: up, scale: try scale(module, part, down.shape[0]), isOfTable: part.isOfTable,
                magnitude: part.magnitude)
        }
        guard !changes.isEmpty else { throw problem("it holds no low-rank update") }
        return changes
    }

    // MARK: Our own

    /// What our own files call themselves.
    package static let ownFormat = "atelier.adapter.v1"

    /// A concept's file: PEFT's names, and diffusers' where text encoders or kernels change; rank and alpha in the
    /// description.
    private func own() throws -> NamedChanges {
        struct Description: Decodable { let method, options: String }
        struct Options: Decodable {
            let rank: Int
            let alpha: Float
            let targets: [String]
            let isRankStabilized: Bool
            let scales: [String: Float]?
        }
        let decoder = JSONDecoder()
        let text = checkpoint.metadata["description"] ?? ""
        guard let description = try? decoder.decode(Description.self, from: Data(text.utf8)) else {
            throw problem("its description cannot be read")
        }
        // What a student learns of proxies is LoRA too; the words it learnt have a place in no other form.
        guard ["lora", "proxy-tuning"].contains(description.method) else {
            throw problem(
                "it was learnt by \(description.method), which is no low-rank adapter: only LoRA has other forms")
        }
        let options = try decoder.decode(Options.self, from: Data(description.options.utf8))
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in checkpoint.names {
            let component = NamedChanges.components.first { name.hasPrefix($0 + ".") }
            guard let prefix = component ?? (name.hasPrefix("base_model.model.") ? "base_model.model" : nil) else {
                continue
            }
            let rest = String(name.dropFirst(prefix.count + 1))
            guard let (module, kind) = Self.ending(rest, Self.peftEndings) else { throw problem("\(name) is unknown") }
            let key = NamedChanges.Module(component: component, name: module)
            Self.put(try tensor(name), kind, into: &parts[key, default: ChangeParts()])
        }
        var named = NamedChanges(format: .peft, targets: options.targets)
        named.changes = try whole(parts) { module, _, rank in
            let usual = options.alpha / (options.isRankStabilized ? Float(rank).squareRoot() : Float(rank))
            return options.scales?[module.path] ?? usual
        }
        return named
    }

    // MARK: PEFT

    private func peft() throws -> NamedChanges {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let folder = isFolder.boolValue ? path : (path as NSString).deletingLastPathComponent
        let file = "\(folder)/adapter_config.json"
        guard let data = FileManager.default.contents(atPath: file),
            let members = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { throw CheckpointError(path: file, problem: "it is missing or no JSON object; rank and alpha are in it") }
        let settings = AdapterSettings(members)
        if let reason = settings.unsupported { throw CheckpointError(path: file, problem: reason) }
        var named = NamedChanges(format: .peft, targets: settings.targets)
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in checkpoint.names {
            let rest = String(name.dropFirst(name.hasPrefix("base_model.model.") ? "base_model.model.".count : 0))
            if let (module, kind) = Self.ending(rest, Self.peftEndings) {
                Self.put(try tensor(name), kind, into: &parts[.init(name: module), default: ChangeParts()])
            } else {
                named.replaced[.init(name: rest)] = try tensor(name)
            }
        }
        named.changes = try whole(parts) { module, _, rank in
            if let wanted = settings.rank(of: module.name), wanted != rank {
                throw problem("\(module.name) has rank \(rank), adapter_config.json says \(wanted)")
            }
            return settings.scale(of: module.name, rank: rank)
        }
        return named
    }

    private enum Kind { case down, up, tableDown, tableUp, magnitude }

    private static let peftEndings: [(String, Kind)] = [
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora_embedding_A", .tableDown),
        (".lora_embedding_B", .tableUp), (".lora_magnitude_vector", .magnitude),
        (".lora_magnitude_vector.weight", .magnitude),
    ]

    private static func ending(_ name: String, _ endings: [(String, Kind)]) -> (String, Kind)? {
        endings.first { name.hasSuffix($0.0) }.map { (String(name.dropLast($0.0.count)), $0.1) }
    }

    private static func put(_ tensor: StoredTensor, _ kind: Kind, into parts: inout ChangeParts) {
        switch kind {
        case .down: parts.down = tensor
        case .up: parts.up = tensor
        case .tableDown: (parts.down, parts.isOfTable) = (tensor, true)
        case .tableUp: (parts.up, parts.isOfTable) = (tensor, true)
        case .magnitude: parts.magnitude = tensor
        }
    }

    /// An alpha, which is a number by itself.
    private func alpha(_ tensor: StoredTensor) throws -> Float {
        guard tensor.count == 1, let alpha = try tensor.floats().first else {
            throw problem("\(tensor.name) has shape \(tensor.shape); an alpha is one number")
        }
        return alpha
    }

    // MARK: diffusers

    private static let diffusersEndings: [(String, Kind)] =
        peftEndings + [
            (".lora.down.weight", .down), (".lora.up.weight", .up), (".lora_linear_layer.down.weight", .down),
            (".lora_linear_layer.up.weight", .up), (".lora_down.weight", .down), (".lora_up.weight", .up),
        ]

    private func diffusers() throws -> NamedChanges {
        let header =
            checkpoint.metadata["lora_adapter_metadata"]
            .flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] } ?? [:]
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in checkpoint.names {
            if name.hasSuffix(".alpha") {
                let module = Self.module(String(name.dropLast(".alpha".count)))
                parts[module, default: ChangeParts()].alpha = try alpha(tensor(name))
                continue
            }
            guard let (path, kind) = Self.ending(Self.renewed(name), Self.diffusersEndings) else {
                throw problem("\(name) is no part of a low-rank adapter of PEFT, diffusers or kohya")
            }
            Self.put(try tensor(name), kind, into: &parts[Self.module(path), default: ChangeParts()])
        }
        for component in Set(parts.keys.compactMap(\.component)) {
            if let reason = AdapterSettings(header, of: component).unsupported {
                throw problem("\(component): \(reason)")
            }
        }
        var named = NamedChanges(format: .diffusers)
        named.changes = try whole(parts) { module, part, rank in
            part.alpha.map { $0 / Float(rank) }
                ?? AdapterSettings(header, of: module.component ?? "").scale(of: module.name, rank: rank)
        }
        return named
    }

    /// The oldest files are of one network alone, and do not say so.
    private static func module(_ path: String) -> NamedChanges.Module {
        let component = NamedChanges.components.first { path.hasPrefix($0 + ".") }
        return .init(component: component, name: String(path.dropFirst(component.map { $0.count + 1 } ?? 0)))
    }

    /// The oldest names have the projection within the processor: `attn1.processor.to_out_lora.up.weight`.
    private static func renewed(_ name: String) -> String {
        guard let match = name.firstMatch(of: /\.processor\.(to_q|to_k|to_v|to_out)_lora\.(down|up)\.weight$/) else {
            return name
        }
        let place = match.1 == "to_out" ? "to_out.0" : String(match.1)
        return name[..<match.range.lowerBound] + ".\(place).lora.\(match.2).weight"
    }

    // MARK: kohya

    /// The prefixes of text encoders; T5 is the third one, in FLUX too, where there is no second (`lora_flux.py`).
    static let kohyasEncoders = [
        "text_encoder": "lora_te1_", "text_encoder_2": "lora_te2_", "text_encoder_3": "lora_te3_",
    ]
    private static let components: [(String, String?)] =
        [("lora_unet_", nil), ("lora_transformer_", nil), ("lora_te_", "text_encoder")]
        + kohyasEncoders.map { ($0.value, $0.key) }

    private static func isKohyas(_ name: String) -> Bool { components.contains { name.hasPrefix($0.0) } }

    private func kohya() throws -> NamedChanges {
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in checkpoint.names {
            guard let dot = name.firstIndex(of: "."),
                let (prefix, component) = Self.components.first(where: { name.hasPrefix($0.0) })
            else { throw problem("\(name) is no part of kohya's form") }
            let module = NamedChanges.Module(
                component: component, name: String(name[..<dot].dropFirst(prefix.count)), isFlat: true)
            switch name[dot...] {
            case ".lora_down.weight": parts[module, default: ChangeParts()].down = try tensor(name)
            case ".lora_up.weight": parts[module, default: ChangeParts()].up = try tensor(name)
            case ".alpha": parts[module, default: ChangeParts()].alpha = try alpha(tensor(name))
            default: throw problem("\(name) is of a kind of adapter that is not built; LoRA is")
            }
        }
        var named = NamedChanges(format: .kohya)
        named.changes = try whole(parts) { _, part, rank in (part.alpha ?? Float(rank)) / Float(rank) }
        return named
    }
}
