import Foundation

/// Reads low-rank adapters in every form they come in.
package struct AdapterReader {
    private let checkpoint: Checkpoint
    private let path: String
    /// The networks that the folder has an adapter of PEFT's for, each in a folder called like it.
    private let components: [String]

    /// - Parameter path: a file, or a folder that holds one, or one for each of several networks.
    /// - Throws: `CheckpointError`, also for what belongs to the changes in a folder and would not be read.
    package init(_ path: String) throws(CheckpointError) {
        let folder = AdapterFolder(path)
        if let problem = folder.problem { throw CheckpointError(path: path, problem: problem) }
        (self.path, components) = (path, folder.components)
        checkpoint = try Checkpoint.open(folder.components.first.map { "\(path)/\($0)" } ?? path)
    }

    private func problem(_ text: String) -> CheckpointError { CheckpointError(path: path, problem: text) }

    /// - Throws: `CheckpointError` for what is no adapter, of a kind that is not built, or damaged.
    package func read() throws -> NamedChanges {
        guard components.isEmpty else { return try ofComponents() }
        // A concept may be called as what is looked for in others' names.
        if checkpoint.metadata["format"] == Self.ownFormat { return try own() }
        var named = try others(changing())
        if let trigger = checkpoint.metadata[AdapterFormat.triggerKey], !trigger.isEmpty {
            named.words = [(concept: "", word: trigger)]
        }
        return named
    }

    private func others(_ names: [String]) throws -> NamedChanges {
        if isOfPEFT(names) { return try peft(names) }
        if names.contains(where: { AdapterNames.kohya($0)?.ending == ".lora_down.weight" }) { return try kohya(names) }
        return try diffusers(names)
    }

    /// The tensors that change something.
    /// - Throws: `CheckpointError` for the first of a kind that is not built.
    private func changing() throws -> [String] {
        try checkpoint.names.filter { name in
            guard let kind = Self.unbuilt.first(where: { ".\(name).".contains($0.mark) }) else { return true }
            guard isIdle(name) else { throw problem("\(name): \(kind.words)") }
            return false
        }
    }

    /// Whether a tensor is a whole difference that is zero, as ComfyUI writes them of what does not change.
    private func isIdle(_ name: String) -> Bool {
        guard name.hasSuffix(".diff") || name.hasSuffix(".diff_b") else { return false }
        return (try? tensor(name).floats().allSatisfy { $0 == 0 }) == true
    }

    /// What stands in the names of kinds that are not built (KohakuBlueleaf/LyCORIS, Nerogar/OneTrainer), and what to
    /// do; a whole part of a name is between dots.
    private static let unbuilt: [(mark: String, words: String)] = [
        (".lora_mid.", "Tucker's form is not built; train without use_tucker or use_cp"),
        (".hada_", "LoHa is not built; train LoRA"), (".lokr_", "LoKr is not built; train LoRA"),
        (".oft_", "OFT is not built; train LoRA"),
        (".dora_scale.", "DoRA in kohya's form is not built; train without weight decomposition"),
        (".diff.", "whole differences are not built; train or extract low-rank changes alone"),
        (".diff_b.", "differences of biases are not built; train or extract low-rank changes alone"),
        (".w_norm.", "trained norms are not built; train without train_norm"),
        (".b_norm.", "trained norms are not built; train without train_norm"),
        (".bundle_emb.", "an embedding beside the changes is not built; save without additional embeddings"),
        (".emb_params.", "an embedding is not built; give the low-rank adapter alone"),
    ]

    private func tensor(_ name: String) throws -> StoredTensor { try checkpoint.tensor(name) }

    /// PEFT's settings, beside the weights.
    private var settingsFile: String { "\(FilePlace.nearestFolder(to: path))/adapter_config.json" }

    /// Whether rank and alpha stand in PEFT's settings: told by the names, or by the files', for the names of an
    /// adapter that was taken from within a network lack their beginning.
    private func isOfPEFT(_ names: [String]) -> Bool {
        if names.contains(where: { $0.hasPrefix("base_model.model.") }) { return true }
        let file = (try? Checkpoint.files(at: path))?.first ?? path
        return (file as NSString).lastPathComponent.hasPrefix("adapter_model.")
            && FileManager.default.fileExists(atPath: settingsFile)
    }

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

    /// What a concept's file was learnt with.
    private struct OwnOptions: Decodable {
        struct Concept: Decodable {
            let name: String
            let word: String?
        }

        let rank: Int
        let alpha: Float
        let targets: [String]
        let isRankStabilized: Bool
        let scales: [String: Float]?
        let actsOn: String?
        let concepts: [Concept]?
    }

    private func ownOptions() throws -> OwnOptions {
        struct Description: Decodable { let method, options: String }
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
        return try decoder.decode(OwnOptions.self, from: Data(description.options.utf8))
    }

    /// A concept's file: PEFT's names, and diffusers' where text encoders or kernels change; rank and alpha in the
    /// description.
    private func own() throws -> NamedChanges {
        let options = try ownOptions()
        var named = NamedChanges(format: .peft, targets: options.targets)
        named.isOwn = true
        named.actsOn = options.actsOn
        named.words = (options.concepts ?? []).compactMap { concept in
            concept.word.map { (concept: concept.name, word: $0) }
        }
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in checkpoint.names {
            if name.hasPrefix("word.") { named.embeddings.append(name) }
            let component = NamedChanges.components.first { name.hasPrefix($0 + ".") }
            guard let prefix = component ?? (name.hasPrefix("base_model.model.") ? "base_model.model" : nil) else {
                continue
            }
            let rest = String(name.dropFirst(prefix.count + 1))
            guard let (module, kind) = AdapterNames.peft(rest) else { throw problem("\(name) is unknown") }
            let key = NamedChanges.Module(component: component, name: module)
            try parts[key, default: ChangeParts()].put(tensor(name), kind)
        }
        named.changes = try whole(parts) { module, _, rank in
            let usual = options.alpha / (options.isRankStabilized ? Float(rank).squareRoot() : Float(rank))
            return options.scales?[module.path] ?? usual
        }
        return named
    }

    // MARK: PEFT

    private func peft(_ names: [String]) throws -> NamedChanges {
        guard let data = FileManager.default.contents(atPath: settingsFile),
            let members = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else {
            throw CheckpointError(
                path: settingsFile, problem: "it is missing or no JSON object; rank and alpha are in it")
        }
        let settings = AdapterSettings(members)
        if let reason = settings.unsupported { throw CheckpointError(path: settingsFile, problem: reason) }
        var named = NamedChanges(format: .peft, targets: settings.targets)
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in names {
            let rest = String(name.dropFirst(name.hasPrefix("base_model.model.") ? "base_model.model.".count : 0))
            if let (module, kind) = AdapterNames.peft(rest) {
                try parts[.init(name: module), default: ChangeParts()].put(tensor(name), kind)
            } else {
                // A layer that is changed keeps its own weight under this name.
                let weight = rest.replacingOccurrences(of: ".base_layer.", with: ".")
                named.replaced[.init(name: weight)] = try tensor(name)
            }
        }
        named.changes = try whole(parts) { module, part, rank in
            if let wanted = settings.rank(of: module.name), wanted != rank {
                throw problem("\(module.name) has rank \(rank), adapter_config.json says \(wanted)")
            }
            guard settings.mayMean(module.name) else {
                throw problem("target_modules in adapter_config.json does not match \(module.name)")
            }
            return try scale(settings, module, part, rank)
        }
        return named
    }

    /// What a module's update is multiplied by, as its settings say.
    private func scale(
        _ settings: AdapterSettings, _ module: NamedChanges.Module, _ part: ChangeParts, _ rank: Int
    ) throws(CheckpointError) -> Float {
        if settings.saysDoRA, part.magnitude == nil {
            throw problem("\(module.description) has no lora_magnitude_vector, and use_dora is true")
        }
        return settings.scale(of: module.name, rank: rank)
    }

    /// A folder with one of PEFT's for each of a pipeline's networks that are changed, as `peft/examples` write them.
    private func ofComponents() throws -> NamedChanges {
        var all = NamedChanges(format: .peft)
        for component in components {
            let named = try AdapterReader("\(path)/\(component)").read()
            if !component.hasPrefix("text_encoder") { all.targets = named.targets }
            if all.words.isEmpty { all.words = named.words }
            for (module, change) in named.changes {
                all.changes[.init(component: component, name: module.name)] = change
            }
            for (module, weight) in named.replaced {
                all.replaced[.init(component: component, name: module.name)] = weight
            }
        }
        return all
    }

    /// An alpha, which is a number by itself.
    private func alpha(_ tensor: StoredTensor) throws -> Float {
        guard tensor.count == 1, let alpha = try tensor.floats().first else {
            throw problem("\(tensor.name) has shape \(tensor.shape); an alpha is one number")
        }
        return alpha
    }

    // MARK: diffusers

    /// Ranks and alphas, which stand in the header; older files have none.
    private func diffusersSettings() throws(CheckpointError) -> [String: Any] {
        guard let text = checkpoint.metadata["lora_adapter_metadata"] else { return [:] }
        guard let members = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw problem("its lora_adapter_metadata is no JSON object; rank and alpha are in it")
        }
        return members
    }

    private func diffusers(_ names: [String]) throws -> NamedChanges {
        let header = try diffusersSettings()
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in names {
            if name.hasSuffix(".alpha") {
                let module = AdapterNames.module(String(name.dropLast(".alpha".count)))
                parts[module, default: ChangeParts()].alpha = try alpha(tensor(name))
                continue
            }
            guard let (path, kind) = AdapterNames.any(name) else {
                throw problem("\(name) is no part of a low-rank adapter of PEFT, diffusers or kohya")
            }
            try parts[AdapterNames.module(path), default: ChangeParts()].put(tensor(name), kind)
        }
        for component in Set(parts.keys.map(\.component)) {
            if let reason = AdapterSettings(header, of: component).unsupported {
                throw problem(component.map { "\($0): \(reason)" } ?? reason)
            }
        }
        var named = NamedChanges(format: .diffusers)
        named.changes = try whole(parts) { module, part, rank in
            if let alpha = part.alpha { return alpha / Float(rank) }
            let settings = AdapterSettings(header, of: module.component)
            if let wanted = settings.rank(of: module.name), wanted != rank {
                throw problem("\(module.description) has rank \(rank), its lora_adapter_metadata says \(wanted)")
            }
            return try scale(settings, module, part, rank)
        }
        return named
    }

    // MARK: kohya

    private func kohya(_ names: [String]) throws -> NamedChanges {
        var parts: [NamedChanges.Module: ChangeParts] = [:]
        for name in names {
            guard let (module, ending) = AdapterNames.kohya(name) else {
                throw problem("\(name) is no part of kohya's form")
            }
            switch ending {
            case ".lora_down.weight": try parts[module, default: ChangeParts()].put(tensor(name), .down)
            case ".lora_up.weight": try parts[module, default: ChangeParts()].put(tensor(name), .up)
            case ".alpha": parts[module, default: ChangeParts()].alpha = try alpha(tensor(name))
            default: throw problem("\(name) is of a kind of adapter that is not built; LoRA is")
            }
        }
        var named = NamedChanges(format: .kohya)
        named.changes = try whole(parts) { _, part, rank in (part.alpha ?? Float(rank)) / Float(rank) }
        return named
    }
}
