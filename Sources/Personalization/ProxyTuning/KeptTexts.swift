import Autograd
import Layers

/// What a frozen encoder makes of texts, read once each and by itself: how it is rounded does not depend on what else a
/// step reads. While a word in them learns they change with every step, and none is kept.
final class KeptTexts<Features> {
    /// Others are read whenever they are asked for.
    private let most = PairTraining.mostKeptTexts
    private let words: [Parameter]
    private let read: ([String]) -> Features
    private let joined: ([Features]) -> Features
    private var kept: [String: Features] = [:]

    /// - Parameters:
    ///   - words: that may learn.
    ///   - read: texts together.
    ///   - joined: features of texts, one after the other; may record no gradient.
    init(
        besides words: some Sequence<Parameter>, joined: @escaping ([Features]) -> Features,
        read: @escaping ([String]) -> Features
    ) {
        (self.words, self.joined, self.read) = (Array(words), joined, read)
    }

    /// The features of texts, in their order.
    func callAsFunction(_ texts: [String]) -> Features {
        words.contains(where: \.isTrainable) ? read(texts) : joined(texts.map(features))
    }

    private func features(_ text: String) -> Features {
        if let known = kept[text] { return known }
        let features = Recording.withoutGradients { read([text]) }
        if kept.count < most { kept[text] = features }
        return features
    }
}
