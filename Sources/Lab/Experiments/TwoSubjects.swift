import Evaluation
import Images
import LittleWorld
import Personalization

/// Two subjects in one picture, as Little World's captions name them: from left to right.
enum TwoSubjects {
    /// A suite's prompt of both: as it is asked for, and as an encoder reads it that never met them.
    static func prompt(_ template: String, _ first: Concept, _ second: Concept) -> (asked: String, described: String) {
        let prompt = PromptSuite.prompts(naming(second, template), concept: first.name, className: first.className)
        return (prompt.asked, PromptText.naming(second.className, in: prompt.described, without: second.placeholder))
    }

    /// A template with another concept behind the first and what that wears.
    private static func naming(_ second: Concept, _ template: String) -> String {
        let worn = Accessory.allCases.map(\.name).first { !$0.isEmpty && template.hasSuffix($0) }
        let first = ["{class}", worn].compactMap { $0 }.joined(separator: " ")
        return template.replacing(first, with: "\(first) and \(second.plainPrompt)")
    }
}

extension Picture {
    /// The left one of two subjects: the square that the world paints it in.
    var leftOfTwo: Picture { cropped(left: 0, top: height * 11 / 32, width: width / 2, height: height / 2) }
}
