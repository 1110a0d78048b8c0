import Backbones
import Catalogue
import Foundation
import Jobs
import Personalization

/// What a model's texts are read with, without its weights.
struct ModelText {
    let description: ModelDescription
    /// Nil where texts are read by something else.
    let tokenizer: TextTokenizer?
    let wording: StyleWording
    /// Whether text encoders are several, which read a rare word where a prompt names a concept.
    var spellsConcepts = false
    /// Whether the model reads prompts as LlamaGen's captions were cleaned.
    var cleansCaptions = false
    let template: PromptTemplate

    /// A text as the model's tokenizer is given it.
    /// - Parameter tokenizer: the model's, with the placeholders of concepts.
    func read(_ text: String, _ tokenizer: TextTokenizer) -> String {
        cleansCaptions ? CaptionCleaning.cleaned(text) { tokenizer.identifier(of: $0) != nil } : text
    }

    /// Tokens of what the model is told for a text, marks among them.
    func tokens(of text: String, _ tokenizer: TextTokenizer) -> Int {
        let size = description.pictures.first
        let said = read(spelled(text, tokenizer), tokenizer)
        let told = template.text(of: said, width: size?.width ?? 0, height: size?.height ?? 0)
        return tokenizer.words(told).count + tokenizer.marks
    }

    private func spelled(_ text: String, _ tokenizer: TextTokenizer) -> String {
        guard spellsConcepts else { return text }
        let spellings = ConceptSpellings(of: ConceptMention.names(in: text), least: { tokenizer.words($0).count })
        return spellings(text)
    }
}

/// The installed models' tokenizers, each read when it is first asked for and again when its files change.
final class ModelTexts {
    let directory: String
    private var known: [String: (stamp: [Date], text: ModelText)] = [:]

    init(directory: String) { self.directory = directory }

    /// Tokens of the longest of some prompts for a model; of a common one where that cannot be told.
    func longest(of prompts: [String], to name: String) -> Int {
        guard let text = self[name], let tokenizer = text.tokenizer else { return 12 }
        let names = Set(prompts.flatMap(ConceptMention.names)).sorted()
        let reading = tokenizer.adding(placeholders: names.map { "<\($0)>" })
        let limit = text.description.limits.promptTokens ?? .max
        return min(prompts.map { text.tokens(of: $0, reading) }.max() ?? 12, limit)
    }

    /// Nil where the model is not here.
    subscript(_ name: String) -> ModelText? {
        guard ModelDescription.isName(name) else { return nil }
        let folder = "\(directory)/\(name)"
        let files = [ModelDescription.fileName, "config.json", "tokenizer.json"].map { "\(folder)/\($0)" }
        let stamp = files.map { path in
            (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? .distantPast
        }
        if let found = known[name], found.stamp == stamp { return found.text }
        guard let description = try? ModelFolder.written(folder) else { return nil }
        let own = try? TextTokenizer(path: folder)
        let configuration = FileManager.default.contents(atPath: files[1]).flatMap { try? JSONValue(json: $0) }
        let wording = configuration?["styledPrompt"]?.string.map { StyleWording(template: $0) } ?? .paper
        let text = ModelText(
            description: description, tokenizer: own ?? Self.pipelineTokenizer(in: folder), wording: wording,
            spellsConcepts: own == nil, cleansCaptions: configuration?["cleansCaptions"] == .bool(true),
            template: PromptTemplate(configuration?["promptTemplate"]?.string))
        known[name] = (stamp, text)
        return text
    }

    /// Diffusers keeps a tokenizer of each encoder in a folder of its own; T5's is the last, and CLIP's counts where
    /// there is no T5.
    private static func pipelineTokenizer(in folder: String) -> TextTokenizer? {
        for place in ["/tokenizer_3", "/tokenizer_2"] {
            if let tokenizer = try? UnigramTokenizer(path: folder + place) { return .unigram(tokenizer) }
        }
        return (try? CLIPTokenizer(path: folder + "/tokenizer")).map(TextTokenizer.clip)
    }
}
