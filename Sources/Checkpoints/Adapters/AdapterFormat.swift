/// Who writes files of low-rank adapters, each in its own form.
package enum AdapterFormat: String, Sendable, CaseIterable {
    /// huggingface/peft: a folder with `adapter_config.json`, or one within it for each network.
    case peft
    /// huggingface/diffusers: `pytorch_lora_weights.safetensors`.
    case diffusers
    /// kohya-ss/sd-scripts: one file, dots written as underscores.
    case kohya

    /// What is to be said of a learnt word's embedding, which has no place in another program's form.
    package func lacking(_ embedding: String) -> String {
        """
        \(embedding), which stands for a concept's name in prompts, has no place in the form of \(rawValue), and \
        without it the changes do not draw the concept: keep it as atelier's
        """
    }

    /// What is to be said of changes that were learnt on a concept's words alone, which no other form can tell.
    package var spreading: String {
        """
        it was learnt with acts_on prompt, for its concept's words alone; the form of \(rawValue) cannot say so, and \
        other programs apply it to every token: keep it as atelier's
        """
    }

    /// Tokens of ours that are no text: no prompt of another program can say them.
    private static let marks = ["<unk>", "<pad>"]

    /// What is to be said of the rare words that concepts go by; nil where there are none.
    package static func wording(of words: [(concept: String, word: String)]) -> String? {
        let said = words.filter { !marks.contains($0.word) }.map { one in
            one.concept.isEmpty ? one.word : "\(one.word) for \(one.concept)"
        }
        return said.isEmpty ? nil : "in other programs prompts say \(said.joined(separator: ", "))"
    }

    /// Where a safetensors header has what prompts say for all that was learnt (Stability-AI/ModelSpec).
    static let triggerKey = "modelspec.trigger_phrase"

    /// What a header says of the words of concepts: it has place for one phrase, which cannot tell those of several.
    package static func header(of words: [(concept: String, word: String)]) -> [String: String] {
        guard words.count == 1, let word = words.first?.word, !marks.contains(word) else { return [:] }
        return [triggerKey: word]
    }
}

/// An adapter's file with its names taken apart: what it changes of which module of which component.
package struct NamedChanges: Sendable {
    /// A module: of a component (`unet`), or of whichever has it, by its path or by a name without dots.
    package struct Module: Hashable, Sendable {
        /// As diffusers calls it; nil where the file does not say.
        package var component: String?
        /// Its dots may be underscores.
        package var name: String

        /// A module of whichever component has it, where none is given. Of CLIP's text tower, where that stands alone,
        /// transformers 5 writes names that lack the tower's own.
        package init(component: String? = nil, name: String) {
            (self.component, self.name) = (component, name)
            guard component?.hasPrefix("text_encoder") == true else { return }
            for dot in [".", "_"] where name.hasPrefix("encoder\(dot)layers\(dot)") {
                self.name = "text_model\(dot)\(name)"
            }
        }

        /// With its component's name before it, where it has one.
        package var path: String { (component.map { "\($0)." } ?? "") + name }
        /// For people: `text_encoder: encoder.block.0.layer.0.SelfAttention.q`.
        package var description: String { (component.map { "\($0): " } ?? "") + name }

        /// The component it is of in a model that has these: kohya counts T5 as the third text encoder also where it
        /// is the second, as in FLUX.1.
        package func encoder(among components: some Sequence<String>) -> String? {
            guard component == "text_encoder_3", !components.contains("text_encoder_3") else { return component }
            return "text_encoder_2"
        }

        /// Whether it lies in T5, whose blocks are called so.
        var isOfT5: Bool { name.hasPrefix("encoder.block.") }
    }

    /// What diffusers calls the parts of a model that adapters change.
    package static let components = ["unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3"]

    /// The two matrices of a module's update, and what their product is multiplied by.
    package struct Change: Sendable {
        /// [r, in], or [r, in, k, k] of a convolution; [r, rows] of an embedding table.
        package var down: StoredTensor
        /// [out, r], or [out, r, 1, 1]; [width, r] of a table.
        package var up: StoredTensor
        /// α/r, or α/√r.
        package var scale: Float
        /// Whether it changes a table, row by row.
        package var isOfTable = false
        /// DoRA's length of every row (Liu et al., arXiv 2402.09353), [out].
        package var magnitude: StoredTensor?
        /// Whether the halves of `up`'s rows stand the other way round in the weight.
        package var isSwapped = false

        /// No training that went well changes a weight by many times its own size (*ours*: a hundred).
        package static let largestRatio: Float = 100

        /// r.
        package var rank: Int { down.shape[0] }
    }

    /// Whose form the file has.
    package let format: AdapterFormat
    /// The modules that the file says it changes, by the ends of their names; nil where it does not say so plainly.
    package var targets: [String]?
    /// By module, each once.
    package var changes: [Module: Change] = [:]
    /// Whole weights that take the place of the model's.
    package var replaced: [Module: StoredTensor] = [:]
    /// Whether it is one of our own files.
    package var isOwn = false
    /// Concepts and the model's own words that they go by, as our own files say them; of another program's file the
    /// trigger phrase in its header, of a concept without a name.
    package var words: [(concept: String, word: String)] = []
    /// Words of our own files that have an embedding, by the names of those.
    package var embeddings: [String] = []
    /// Which tokens they were learnt for, as our own files say it; nil: all.
    package var actsOn: String?
}
