import Backbones
import Jobs

/// A backbone that concepts are learnt on, whatever its family. What a method needs of one family alone (ARBooth of
/// Infinity, CoAR of Chameleon) is not here: it asks for that family.
package protocol TunableBackbone: Backbone {
    /// Ends of the names of the modules that low-rank changes change unless others are said.
    var attentionModules: [String] { get }
    /// Of the same, those that read the words.
    var textModules: [String] { get }
    /// What DreamBooth calls a concept by: a word that pretraining hardly saw, a style another than a subject.
    func identifier(of role: ConceptRole) -> String
    /// The model as DreamBooth sees it; frozen from here on.
    /// - Parameter priorPictures: drawn from the class prompt, at the model's own distribution or by its usual sampler;
    ///   0 without prior preservation.
    func dreamBooth(of concept: Concept, priorPictures: Int, seed: UInt64) -> DreamBooth
    /// The model as Proxy-Tuning teaches it, with words for concepts; frozen from here on.
    func pairLearner(of concepts: [Concept], seed: UInt64) -> PairLearner
    /// Tokens of a text with its end mark that are read beside so many concepts.
    func textLimit(concepts: Int) -> Int
    /// Counts the tokens of what is said for a text, and the end mark.
    /// - Parameters:
    ///   - placeholders: of concepts, each of which is one token.
    ///   - spelled: what they are called by where text encoders are several.
    func tokenCounter(naming placeholders: [String], spelled: ConceptSpellings) -> (String) -> Int
}

extension TunableBackbone {
    /// Those of all attention: texts are read where pictures are.
    package var textModules: [String] { attentionModules }

    /// Ends of the names of the modules that change where changes act on these tokens.
    package func modules(_ tokens: ActingTokens) -> [String] { tokens == .prompt ? textModules : attentionModules }

    /// A token that pretraining never saw.
    package func identifier(of role: ConceptRole) -> String { DreamBooth.identifier(of: role) }
}

extension TunableBackbone where Self: ReadsPrompts {
    /// Placeholders are added to the reader's tokenizer.
    package func tokenCounter(naming placeholders: [String], spelled: ConceptSpellings) -> (String) -> Int {
        let (reader, tokenizer) = (reader, reader.tokenizer.adding(placeholders: placeholders))
        return { reader.wholeIDs($0, tokenizer: tokenizer).count }
    }
}

extension Concept {
    /// What it goes by: the word it has, or the one that the model gives its role.
    func word(on model: some TunableBackbone) -> String { word ?? model.identifier(of: role) }
}
