import Evaluation
import Foundation
import Hashing
import LittleWorld

/// How large the tables are.
package struct TableSettings: Codable, Sendable {
    /// Held-out individuals, each of another class.
    var subjects: Int
    var seeds: Int
    /// The first of Little World's suite.
    var prompts: Int
    var picturesPerPrompt: Int
    var classPictures: Int
    var references = 4
    /// The number of the first individual: choices are made on others (`OptionSweep`) than those the papers' tables
    /// report.
    var firstSubject = 200
    /// Steps of every method; nil leaves each its own.
    var iterations: Int?
    /// The encoders' folders among the models.
    var clip, dino: String

    /// Four references a subject, and the papers' individuals, until those are set.
    package init(
        subjects: Int, seeds: Int, prompts: Int, picturesPerPrompt: Int, classPictures: Int, iterations: Int?,
        clip: String, dino: String
    ) {
        (self.subjects, self.seeds, self.prompts) = (subjects, seeds, prompts)
        (self.picturesPerPrompt, self.classPictures, self.iterations) = (picturesPerPrompt, classPictures, iterations)
        (self.clip, self.dino) = (clip, dino)
    }

    /// The templates there are.
    package static let largestPrompts = PromptSuite.littleWorld.templates.count
    /// The classes there are: no two subjects are of one.
    package static let largestSubjects = SubjectClass.allCases.count

    private static let kinds: [SubjectClass] = [.dog, .teapot, .cat, .backpack, .rabbit, .robot]

    /// The `number`-th subject: living ones and things take turns.
    func subject(_ number: Int) -> Subject {
        let kinds = TableSettings.kinds + SubjectClass.allCases.filter { !TableSettings.kinds.contains($0) }
        return Subject.heldOut(kinds[number % kinds.count], index: firstSubject + number)
    }

    /// How many subjects are learnt together.
    static let together = 4

    /// The subjects that are learnt together with the `number`-th, itself among them.
    func together(with number: Int) -> Range<Int> { group(of: TableSettings.together, with: number) }

    /// The same of `count` subjects that are known together.
    func group(of count: Int, with number: Int) -> Range<Int> {
        let first = number / count * count
        return first..<first + count
    }

    /// The subject that prompts name beside the `number`-th: each is the other's.
    static func second(to number: Int) -> Int { number ^ 1 }

    /// A digest of what cells depend on. How many subjects and seeds there are is not of it: a larger table takes up a
    /// smaller one's cells.
    func digest(_ others: [String]) throws -> String {
        var size = self
        (size.subjects, size.seeds) = (0, 0)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let data = try encoder.encode(size) + Data(others.joined(separator: "\n").utf8)
        return String(SHA256Digest.of(data).description.prefix(16))
    }
}
