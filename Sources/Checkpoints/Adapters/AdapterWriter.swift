import Foundation

/// Writes low-rank adapters in other programs' forms; tensors are copied as they are, byte by byte.
package struct AdapterWriter {
    private let changes: [(module: NamedChanges.Module, change: NamedChanges.Change)]
    /// What the network is called where names say it: that of Stable Diffusion XL has blocks on the way down.
    private let network: String
    /// What prompts say for what was learnt, where that is one concept with a word.
    private let header: [String: String]

    /// - Parameter words: of the concepts that were learnt, as ``NamedChanges/words``.
    /// - Throws: `CheckpointError` for DoRA, tables, and tensors of which no product can be made.
    package init(
        _ changes: [NamedChanges.Module: NamedChanges.Change], words: [(concept: String, word: String)] = []
    ) throws(CheckpointError) {
        for (module, change) in changes {
            let (path, module) = (change.down.path, module.description)
            if change.magnitude != nil { throw CheckpointError(path: path, problem: "\(module): DoRA is not written") }
            if change.isOfTable {
                throw CheckpointError(path: path, problem: "\(module): changes of embedding tables are not written")
            }
            guard change.rank > 0, change.up.shape.count > 1, change.up.shape[1] == change.rank else {
                throw CheckpointError(
                    path: path, problem: "\(module): \(change.up.shape) · \(change.down.shape) is no product")
            }
        }
        self.changes = changes.sorted { $0.key.path < $1.key.path }.map { (module: $0.key, change: $0.value) }
        let isUNet = changes.keys.contains { module in
            ["down_blocks.", "mid_block.", "up_blocks."].contains { module.name.hasPrefix($0) }
        }
        network = isUNet ? "unet" : "transformer"
        header = AdapterFormat.header(of: words)
    }

    private func write(_ tensors: [RawTensor], to path: String, metadata: [String: String]) throws {
        try RawTensor.write(tensors, to: path, metadata: metadata.merging(header) { $1 })
    }

    /// Writes the adapter: PEFT's folder, or the file of diffusers or kohya.
    /// - Parameter form: the network's form, for kohya's names; told by the changes' names where it is not known.
    /// - Returns: what was written.
    /// - Throws: what the file system says.
    @discardableResult
    package func write(_ format: AdapterFormat, to path: String, form: NetworkForm? = nil) throws -> [String] {
        switch format {
        case .peft: try writePEFT(path)
        case .diffusers: try writeDiffusers(path)
        case .kohya: try writeKohya(path, form)
        }
    }

    private func alpha(_ change: NamedChanges.Change) -> Float { change.scale * Float(change.rank) }
    private var usualRank: Int { changes.first?.change.rank ?? 1 }
    private var usualAlpha: Float { changes.first.map { alpha($0.change) } ?? 1 }

    /// What the module is in, and its name there.
    private func component(_ module: NamedChanges.Module) -> String { module.component ?? network }

    /// Ranks and alphas that differ from the first module's.
    /// - Parameter name: what a module is called by the end of its path.
    private func settings(of component: String, name: (NamedChanges.Module) -> String = { $0.name }) -> [String: Any] {
        var (ranks, alphas): ([String: Int], [String: Double]) = ([:], [:])
        let own = changes.filter { self.component($0.module) == component }
        for (module, change) in own where change.rank != usualRank || alpha(change) != usualAlpha {
            // A key means every name that ends with it, but for this mark.
            let isEnd = own.contains { name($0.module).hasSuffix("." + name(module)) }
            let key = (isEnd ? "^" : "") + name(module)
            if change.rank != usualRank { ranks[key] = change.rank }
            if alpha(change) != usualAlpha { alphas[key] = Double(alpha(change)) }
        }
        return [
            "peft_type": "LORA", "r": usualRank, "lora_alpha": Double(usualAlpha), "rank_pattern": ranks,
            "alpha_pattern": alphas, "target_modules": own.map { name($0.module) }, "bias": "none", "use_rslora": false,
            "use_dora": false, "fan_in_fan_out": false, "lora_dropout": 0, "inference_mode": true,
        ]
    }

    /// One network's changes are a folder of PEFT's; where others change too, each has one of its own within.
    private func writePEFT(_ folder: String) throws -> [String] {
        let components = Set(changes.map { component($0.module) }).sorted()
        let isAlone = components == [network]
        let written = try components.flatMap { try writePEFT($0, isAlone ? folder : "\(folder)/\($0)") }
        removeEarlier(in: folder, but: written)
        return written
    }

    /// What an earlier adapter has of other networks in the same folder would be taken for a part of this one.
    private func removeEarlier(in folder: String, but written: [String]) {
        for file in Self.adapterFiles(in: folder) where !written.contains(file) {
            try? FileManager.default.removeItem(atPath: file)
        }
    }

    /// The files of adapters that PEFT's form would take the place of in a folder.
    package static func adapterFiles(in folder: String) -> [String] {
        let places = [folder] + NamedChanges.components.map { "\(folder)/\($0)" }
        let files = places.flatMap { ["\($0)/adapter_config.json", "\($0)/adapter_model.safetensors"] }
        return files.filter { FileManager.default.fileExists(atPath: $0) }
    }

    private func writePEFT(_ component: String, _ folder: String) throws -> [String] {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let settings = settings(of: component)
        let file = "\(folder)/adapter_config.json"
        try JSONSerialization.data(withJSONObject: settings, options: [.prettyPrinted, .sortedKeys])
            .write(to: URL(fileURLWithPath: file), options: .atomic)
        let own = changes.filter { self.component($0.module) == component }
        let tensors = try own.flatMap { module, change in
            [
                try RawTensor("base_model.model.\(module.name).lora_A.weight", change.down),
                try RawTensor("base_model.model.\(module.name).lora_B.weight", change.up),
            ]
        }
        let weights = "\(folder)/adapter_model.safetensors"
        try write(tensors, to: weights, metadata: ["format": "pt"])
        return [file, weights]
    }

    /// The end of a module's path that CLIP's text tower has also where it stands alone: transformers 5 has no
    /// `text_model` there, which diffusers takes off tensors' names and not off these.
    private static func end(of module: NamedChanges.Module) -> String {
        module.name.hasPrefix("text_model.") ? String(module.name.dropFirst("text_model.".count)) : module.name
    }

    private func writeDiffusers(_ path: String) throws -> [String] {
        let tensors = try changes.flatMap { module, change in
            [
                try RawTensor("\(component(module)).\(module.name).lora_A.weight", change.down),
                try RawTensor("\(component(module)).\(module.name).lora_B.weight", change.up),
            ]
        }
        var named: [String: Any] = [:]
        for component in Set(changes.map { component($0.module) }) {
            for (key, value) in settings(of: component, name: Self.end(of:)) { named["\(component).\(key)"] = value }
        }
        let header = try JSONSerialization.data(withJSONObject: named, options: [.sortedKeys])
        try write(
            tensors, to: path,
            metadata: ["format": "pt", "lora_adapter_metadata": String(decoding: header, as: UTF8.self)])
        return [path]
    }

    /// kohya's scripts call the modules of SDXL's blocks, SD3 and FLUX.1 as the authors do, those of others as we do.
    private func writeKohya(_ path: String, _ form: NetworkForm?) throws -> [String] {
        let fused = try FusedChanges(changes, of: form)
        let own = changes.filter { !fused.modules.contains($0.module) }
        // What may be SD3's or FLUX.1's has diffusers' names, under which OneTrainer and ComfyUI know it.
        let isEither = own.contains { module, _ in
            ["transformer_blocks.", "time_text_embed.", "context_embedder", "norm_out.", "proj_out"]
                .contains { module.name.hasPrefix($0) }
        }
        let ofNetwork = isEither ? "lora_transformer_" : "lora_unet_"
        let modules = own.map(\.module).filter { $0.component?.hasPrefix("text_encoder") != true }.map(\.name)
        let unet = form?.unet ?? UNetNames.form(toldBy: modules)
        let authors = unet.map { UNetNames.authors(of: modules, $0) } ?? [:]
        let tensors = try own.flatMap { module, change in
            let component = module.isOfT5 ? "text_encoder_3" : module.component
            let prefix = component.flatMap { AdapterNames.kohyasEncoders[$0] } ?? ofNetwork
            let name = prefix + (authors[module.name] ?? module.name).replacingOccurrences(of: ".", with: "_")
            return [
                try RawTensor("\(name).lora_down.weight", change.down),
                try RawTensor("\(name).lora_up.weight", change.up),
                RawTensor("\(name).alpha", number: alpha(change)),
            ]
        }
        let metadata = [
            "ss_network_module": "networks.lora", "ss_network_dim": String(usualRank),
            "ss_network_alpha": String(usualAlpha), "ss_network_args": "{}",
        ]
        try write(tensors + fused.tensors, to: path, metadata: metadata)
        return [path]
    }
}
