import Evaluation
import Foundation
import Images
import LittleWorld

/// Whether pictures show whom a prompt names and what it says of them, as the classifier sees it: shares of pictures
/// by the keys of a cell's scores.
struct PromptAccuracy {
    /// Whom it names: the class, and the colour where the style keeps it.
    static let subject = "subject_right"
    /// What it says: place, accessory and style.
    static let prompt = "prompt_right"
    /// All of that.
    static let both = "both_right"
    /// What tables show.
    static let columns: [(title: String, key: String)] =
        [(title: "subject", key: subject), (title: "prompt", key: prompt), (title: "both", key: both)]
        + [Accessory.redHat.name, Context.jungle.name, Context.nightCity.name].map {
            (title: $0, key: PromptAccuracy.key(of: $0))
        }

    /// The classifier's, which tells one from another.
    let digest: String
    private let classifier: AttributeClassifier

    /// - Returns: nil where there is no classifier in the directory.
    init?(directory: String) throws {
        let settings = "\(directory)/\(AttributeClassifier.File.configuration.rawValue)"
        guard FileManager.default.fileExists(atPath: settings) else { return nil }
        classifier = try AttributeClassifier(directory: directory)
        digest = try String(ModelParts.digest(directory: directory).prefix(8))
    }

    /// Of all pictures, and both of every prompt's own.
    /// - Parameters:
    ///   - groups: of every prompt the pictures, one or more.
    ///   - scenes: what each prompt asks for.
    func scores(_ groups: [[Picture]], of scenes: [Scene]) -> [String: Double] {
        let prompts = zip(groups, scenes).map { mistakes($0, $1) }
        let all = prompts.flatMap { $0 }
        var scores = [
            Self.subject: Self.share(all) { $0.isDisjoint(with: PictureTrait.ofSubjects) },
            Self.prompt: Self.share(all) { $0.isSubset(of: PictureTrait.ofSubjects) },
            Self.both: Self.share(all, \.isEmpty),
        ]
        for (scene, some) in zip(scenes, prompts) {
            scores[Self.key(of: Self.words(scene))] = Self.share(some, \.isEmpty)
        }
        return scores
    }

    /// Of every picture the traits that were asked for and are not seen.
    private func mistakes(_ pictures: [Picture], _ scene: Scene) -> [Set<PictureTrait>] {
        let asked = TraitLabels(askedFor: scene)
        return classifier.verdicts(pictures).map { Set(AttributeScore.mistakes($0, truth: asked)) }
    }

    /// What a prompt says beside whom it names.
    private static func words(_ scene: Scene) -> String {
        [scene.accessory.name, scene.context.name].first { !$0.isEmpty } ?? scene.style.name
    }

    /// Of both, in the pictures of one prompt.
    private static func key(of words: String) -> String { "\(both).\(words.replacing(" ", with: "_"))" }

    private static func share(_ mistakes: [Set<PictureTrait>], _ isRight: (Set<PictureTrait>) -> Bool) -> Double {
        Double(mistakes.count(where: isRight)) / Double(mistakes.count)
    }
}
