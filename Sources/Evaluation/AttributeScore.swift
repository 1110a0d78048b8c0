import LittleWorld

/// How often verdicts were right, and what was taken for what.
package struct AttributeScore: Sendable {
    private struct Confusion: Hashable {
        let truth, verdict: Int
    }

    private var right: [PictureTrait: Int] = [:]
    /// Of pictures, by the label that they should show.
    private var counted: [PictureTrait: [Int: Int]] = [:]
    private var confusions: [PictureTrait: [Confusion: Int]] = [:]
    private var wholly = 0
    private var pictures = 0
    private var rightPairs = 0
    private var pairs = 0

    /// The score of as many verdicts as truths.
    package init(_ verdicts: [TraitLabels], truths: [TraitLabels]) {
        precondition(verdicts.count == truths.count, "\(verdicts.count) verdicts on \(truths.count) truths")
        for (verdict, truth) in zip(verdicts, truths) { add(verdict, truth: truth) }
    }

    /// Counts a verdict; traits that the truth leaves open, or the classifier has no head for, are not counted.
    private mutating func add(_ verdict: TraitLabels, truth: TraitLabels) {
        let mistakes = AttributeScore.mistakes(verdict, truth: truth)
        for trait in PictureTrait.allCases where truth[trait] != nil && verdict[trait] != nil {
            counted[trait, default: [:]][truth[trait]!, default: 0] += 1
            if !mistakes.contains(trait) { right[trait, default: 0] += 1 }
        }
        for trait in mistakes {
            confusions[trait, default: [:]][Confusion(truth: truth[trait]!, verdict: verdict[trait]!), default: 0] += 1
        }
        pictures += 1
        if mistakes.isEmpty { wholly += 1 }
        if truth.hasSecond, verdict[.secondClass] != nil {
            pairs += 1
            if PictureTrait.ofSubjects.isDisjoint(with: mistakes) { rightPairs += 1 }
        }
    }

    /// The traits in which a verdict differs from what was asked for.
    package static func mistakes(_ verdict: TraitLabels, truth: TraitLabels) -> [PictureTrait] {
        PictureTrait.allCases.filter { truth[$0] != nil && verdict[$0] != nil && verdict[$0] != truth[$0] }
    }

    /// The share of right verdicts, 0…1; nil when no picture decides the trait.
    package func accuracy(_ trait: PictureTrait) -> Double? {
        counted[trait].map { Double(right[trait] ?? 0) / Double($0.values.reduce(0, +)) }
    }

    /// The share of pictures in which a label is seen, 0…1, of those that should show it; nil when none should.
    package func accuracy(_ trait: PictureTrait, of label: Int) -> Double? {
        counted[trait]?[label].map { Double($0 - missed(trait, label)) / Double($0) }
    }

    private func missed(_ trait: PictureTrait, _ label: Int) -> Int {
        (confusions[trait] ?? [:]).filter { $0.key.truth == label }.values.reduce(0, +)
    }

    /// The share of pictures right in every trait.
    package var whollyRight: Double { Double(wholly) / Double(max(pictures, 1)) }

    /// The share, of pictures with two subjects, of those right in the class and colour of both, each in its place; nil
    /// when there is none.
    package var bothSubjectsRight: Double? { pairs == 0 ? nil : Double(rightPairs) / Double(pairs) }

    /// The most frequent confusions of every trait, as text for people, and how often each finish is seen that is asked
    /// for.
    package func table(rows: Int = 8) -> String {
        PictureTrait.allCases.map { trait in
            let pairs = (confusions[trait] ?? [:]).sorted {
                ($1.value, $0.key.truth, $0.key.verdict) < ($0.value, $1.key.truth, $1.key.verdict)
            }
            let lines = pairs.prefix(rows).map { pair, count in
                "  \(count) × \(trait.names[pair.truth]) taken for \(trait.names[pair.verdict])\n"
            }
            let count = (counted[trait] ?? [:]).values.reduce(0, +)
            return "\(trait.rawValue): \(right[trait] ?? 0) of \(count) right\n"
                + (trait == .finish ? finishes : "") + lines.joined()
        }.joined()
    }

    /// A line each, without that of none.
    private var finishes: String {
        [Finish.shiny, .glowing].compactMap { finish in
            counted[.finish]?[finish.rawValue].map {
                "  \(finish.name): \($0 - missed(.finish, finish.rawValue)) of \($0) right\n"
            }
        }.joined()
    }
}
