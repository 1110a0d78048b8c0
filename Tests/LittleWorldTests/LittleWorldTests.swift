import ComputeTesting
import Images
import LittleWorld
import Testing

@Suite(.computing) struct LittleWorldTests {
    private func scenes(_ count: Int, _ split: Split, seed: UInt64 = 4) -> [Scene] {
        (0..<count).map { LittleWorld.scene(index: UInt64($0), seed: seed, split: split) }
    }

    @Test func theSameSceneIsThePicturesSameBytes() {
        for scene in scenes(40, .training) { #expect(scene.paint(size: 64) == scene.paint(size: 64)) }
        #expect(scenes(40, .training) == scenes(40, .training))
    }

    /// Weights are trained on these very pictures: an edit that changes what is painted must say so here.
    @Test func whatIsPaintedIsFixed() {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325  // FNV-1a of eight pictures
        for scene in (0..<8).map({ LittleWorld.scene(index: UInt64($0), seed: 1, split: .training) }) {
            for byte in scene.paint(size: 64).pixels { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        #expect(hash == 0x12b4_d50b_2245_e2ff)
        #expect(
            LittleWorld.scene(index: 1, seed: 1, split: .training).caption
                == "in the snow a shiny orange chequered robot wearing a green bow")
    }

    @Test func trainingNeverSeesHeldOutSubjectsStylesOrPrompts() {
        let reserved = Set(Evaluation.prompts())
        for scene in scenes(20_000, .training) {
            #expect(scene.subjects.allSatisfy { !$0.isHeldOut } && !scene.style.isHeldOut)
            for subject in scene.subjects {
                let prompt = Evaluation.Prompt(
                    kind: subject.kind, colour: subject.colour, context: scene.context, style: scene.style)
                #expect(!reserved.contains(prompt))
            }
        }
        #expect(scenes(500, .heldOut).allSatisfy { $0.subjects.allSatisfy(\.isHeldOut) })
        #expect(reserved.count == 500)
    }

    @Test func morePromptsThanThereAreBeginAgain() {
        let prompts = Evaluation.prompts(count: 5000)
        let different = Set(prompts).count
        #expect(prompts.count == 5000 && different < 5000 && different > 1000)
        #expect(prompts[different] == prompts[0])
        #expect(Array(prompts.prefix(500)) == Evaluation.prompts())
    }

    @Test func everyLabelIsReached() {
        let all = scenes(20_000, .training)
        #expect(Set(all.map(\.subject.kind)).count == SubjectClass.allCases.count)
        #expect(Set(all.map(\.subject.colour)).count == SubjectColour.allCases.count)
        #expect(Set(all.map(\.subject.pattern)).count == Pattern.allCases.count)
        #expect(Set(all.map(\.context)).count == Context.allCases.count)
        #expect(Set(all.map(\.accessory)).count == Accessory.allCases.count)
        #expect(Set(all.map(\.finish)).count == Finish.allCases.count)
        #expect(Set(all.compactMap { $0.second?.kind }).count == SubjectClass.allCases.count)
        #expect(Set(all.map(\.style)).count == Style.allCases.count - Style.heldOut.count)
    }

    /// The world is as large as it is said to be: a wish of its makers that a later edit must not undo.
    @Test func theWorldIsRichEnough() {
        #expect(SubjectClass.allCases.count >= 24)
        #expect(Context.allCases.count >= 12)
        #expect(Accessory.allCases.count - 1 >= 8)
        #expect(Style.allCases.count - 1 >= 10)
        #expect(Style.heldOut.count == 2)
    }

    @Test func everyStyleChangesTheWholePicture() {
        let subject = Subject.training(.dog, index: 0)
        let pose = LittleWorld.scene(index: 0, seed: 1, split: .training).pose
        let pictures = Style.allCases.map {
            Scene(subject: subject, context: .beach, accessory: .none, style: $0, pose: pose, phrasing: 0).paint(
                size: 64)
        }
        for (i, a) in pictures.enumerated() {
            for b in pictures[(i + 1)...] {
                let different = zip(a.pixels, b.pixels).count { abs(Int($0) - Int($1)) > 8 }
                #expect(different > a.pixels.count / 3)
            }
        }
    }

    @Test func aSubjectsReferencesShowTheSameIndividual() {
        let subject = Subject.heldOut(.cat, index: 2)
        let references = subject.references(count: 4)
        #expect(references.allSatisfy { $0.subject == subject && $0.style == .photo })
        #expect(Set(references.map { $0.paint(size: 64).pixels }).count == 4)
        #expect(subject.isHeldOut)
    }

    /// As prompts mostly do: models that always heard the colour drew patches of all colours where none was said.
    @Test func oneCaptionInFourLeavesTheColourOpen() {
        let colours = SubjectColour.allCases.map(\.name)
        // Grass is green, and so is much that is worn.
        let shown = scenes(8000, .training)
            .filter { $0.style.keepsColour && $0.accessory == .none && $0.context != .grass }
        let open = shown.filter { scene in !colours.contains { scene.caption.contains(" \($0) ") } }
        let alone = shown.filter { $0.second == nil }
        #expect(open.allSatisfy { $0.second == nil })
        #expect((0.2...0.3).contains(Double(open.count) / Double(alone.count)))
    }

    @Test func captionsUseOnlyTheVocabulary() {
        let words = Set(LittleWorld.vocabulary)
        for scene in scenes(2000, .training) + scenes(500, .heldOut) {
            #expect(scene.caption.split(separator: " ").allSatisfy { words.contains(String($0)) }, "\(scene.caption)")
        }
        for prompt in Evaluation.prompts() {
            #expect(prompt.text.split(separator: " ").allSatisfy { words.contains(String($0)) })
        }
    }

    /// Senders are warned of them, and of no other word of the vocabulary.
    @Test func unlearntWordsAreThoseThatNoCaptionOfTrainingHolds() {
        var words = Set(LittleWorld.vocabulary)
        for scene in scenes(20_000, .training) {
            words.subtract(scene.caption.split(separator: " ").map(String.init))
        }
        #expect(words.sorted() == LittleWorld.unlearntWords)
    }
}
