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

    /// An option that a stage never reads would be believed to have done something.
    @Test(arguments: [
        ("transformer", "pocket-infinity", "--manner-share 0.3", "pocket-chameleon's transformer"),
        ("tokenizer", "pocket-chameleon", "--manner-share 0.3", "pocket-chameleon's transformer"),
        ("transformer", "pocket-chameleon", "--largest-flip-share 0.1", "pocket-infinity's transformer"),
        ("decoder", "pocket-infinity", "--largest-flip-share 0.1", "pocket-infinity's transformer"),
        ("transformer", "pocket-infinity", "--classifier models/classifier", "the stages tokenizer and decoder"),
        ("transformer", "pocket-diffusion", "--adversary-from 5", "the stages tokenizer and decoder"),
    ])
    func pretrainingRefusesWhatItsStageNeverReads(_ stage: String, model: String, option: String, place: String) {
        let name = option.split(separator: " ")[0]
        #expect(
            refusal(of: "pretrain \(stage) --model \(model) --folder DIR \(option)")?.contains(
                "\(name): \(model)'s \(stage) does not read it; allowed for \(place)") == true)
    }

    @Test(arguments: [
        "transformer --model pocket-infinity --largest-flip-share 0.1",
        "transformer --model pocket-chameleon --manner-share 0.3",
        "decoder --model pocket-llamagen --classifier models/classifier --adversary-from 5",
    ])
    func pretrainingTakesWhatItsStageReads(_ words: String) {
        #expect(refusal(of: "pretrain \(words) --folder DIR") == nil)
    }

    @Test func aWorldWithNothingToPaintIsRefused() {
        let options = ["--sheet", "--album", "--manners", "--references"]
        for words in ["world", "world --subject 3"] {
            let refusal = refusal(of: words) ?? ""
            #expect(options.allSatisfy { refusal.contains($0) }, "\(words): \(refusal)")
        }
        for option in options { #expect(refusal(of: "world \(option) PLACE") == nil, "\(option)") }
    }

    /// What a command says that it does not take; nil where it takes all.
    private func refusal(of command: String) -> String? {
        do { _ = try AtelierLab.parseAsRoot(words(of: command)) } catch { return AtelierLab.message(for: error) }
        return nil
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
