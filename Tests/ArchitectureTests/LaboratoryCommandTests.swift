import ArgumentParser
import Testing

@testable import atelier_lab

/// The laboratory's commands as documents tell them.
struct LaboratoryCommandTests {
    /// On cards and in the manual, so that whoever copies one has it run.
    @Test func everyCommandThatIsToldCanBeTyped() {
        let documents = RepositoryText.all.filter { file in
            file.language == "md" && ["docs/", "models/"].contains { file.path.hasPrefix($0) }
        }
        let told = documents.flatMap { file in commands(in: file.text).map { (path: file.path, words: words(of: $0)) } }
            .filter { $0.words.count > 1 }  // one word names a command
        #expect(told.count > 30)
        for command in told {
            do { _ = try AtelierLab.parseAsRoot(command.words) } catch {
                let line = command.words.joined(separator: " ")
                Issue.record("\(command.path): \(line): \(AtelierLab.message(for: error))")
            }
        }
    }

    /// Those of running text, and those of blocks, where a line may go on below and a remark may stand behind it.
    private func commands(in text: String) -> [String] {
        let inText = text.matches(of: /`atelier-lab ([^`]+)`/).map { String($0.1) }
        let inBlocks = text.matches(of: /\n {4,}atelier-lab ((?:.*\\\n)*.*)/).map {
            String($0.1.replacing(/\\\n| #.*/, with: " "))
        }
        return inText + inBlocks
    }

    /// As a shell has them; in quotes there is no blank.
    private func words(of command: String) -> [String] {
        command.replacing("'", with: "").split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
