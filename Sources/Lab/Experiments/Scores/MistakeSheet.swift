import Evaluation
import Images

/// Pictures that a classifier finds different from what was asked for, each above its caption and what the classifier
/// saw: for looking at.
struct MistakeSheet {
    let pictures: [Picture]
    let captions: [String]
    let truths: [TraitLabels]
    let verdicts: [TraitLabels]
    private let most = 72, columns = 9

    init(pictures: [Picture], captions: [String], truths: [TraitLabels], verdicts: [TraitLabels]) {
        self.pictures = pictures
        self.captions = captions
        self.truths = truths
        self.verdicts = verdicts
    }

    /// - Returns: nil when there is no mistake to look at.
    func picture() -> Picture? {
        let wrong = pictures.indices.filter { !AttributeScore.mistakes(verdicts[$0], truth: truths[$0]).isEmpty }
        guard !wrong.isEmpty else { return nil }
        return Grid.rows(of: min(columns, wrong.count), wrong.prefix(most).map(cell), gap: 4)
    }

    private func cell(_ index: Int) -> Picture {
        let mistakes = AttributeScore.mistakes(verdicts[index], truth: truths[index])
        let seen = mistakes.map { "\($0.rawValue): \($0.names[verdicts[index][$0]!])" }
        return pictures[index].captioned([(captions[index], (40, 40, 40))] + seen.map { ($0, (190, 30, 30)) })
    }
}
