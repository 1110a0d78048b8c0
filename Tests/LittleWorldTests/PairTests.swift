import ComputeTesting
import Images
import LittleWorld
import Testing

/// Two subjects in one picture.
@Suite(.computing) struct PairTests {
    private let red = Subject.heldOut(.cat, index: 1), blue = Subject.heldOut(.dog, index: 2)

    private func pairs(_ count: Int, _ split: Split = .training) -> [Scene] {
        (0..<count).map { LittleWorld.scene(index: UInt64($0), seed: 6, split: split) }.filter { $0.second != nil }
    }

    @Test func aCaptionNamesBothFromLeftToRightEachWithItsColour() {
        for scene in pairs(4000) where scene.style.keepsColour {
            let second = scene.second!
            let words = scene.caption
            #expect(words.contains(scene.subject.kind.name) && words.contains(second.kind.name), "\(words)")
            let parts = [" and ", " next to ", " beside "].first { words.contains($0) }.map {
                words.split(separator: $0)
            }
            #expect(parts?.count == 2, "\(words)")
            #expect(parts?[0].contains(scene.subject.colour.name) == true, "\(words)")
            #expect(parts?[1].contains(second.colour.name) == true, "\(words)")
            if scene.accessory != .none { #expect(parts?[0].hasSuffix(scene.accessory.name) == true, "\(words)") }
        }
    }

    @Test func labelsSayWhatTheSecondIs() {
        let scenes = (0..<2000).map { LittleWorld.scene(index: $0, seed: 6, split: .training) }
        for scene in scenes {
            #expect(scene.labels.secondSubject == scene.second?.kind.rawValue)
            #expect(scene.labels.secondColour == (scene.style.keepsColour ? scene.second?.colour.rawValue : nil))
            if let second = scene.second {
                #expect((second.kind, second.colour) != (scene.subject.kind, scene.subject.colour))
            }
        }
    }

    @Test func trainingNeverShowsReservedPairsTogether() {
        func key(_ a: (SubjectClass, SubjectColour), _ b: (SubjectClass, SubjectColour)) -> [String] {
            ["\(a.0) \(a.1)", "\(b.0) \(b.1)"].sorted()
        }
        let prompts = Evaluation.pairPrompts(count: 500)
        let reserved = Set(prompts.map { key(($0.first.kind, $0.first.colour), ($0.second.kind, $0.second.colour)) })
        let shown = pairs(30_000)
        #expect(shown.count > 3000)
        for scene in shown {
            let second = scene.second!
            #expect(!reserved.contains(key((scene.subject.kind, scene.subject.colour), (second.kind, second.colour))))
        }
        #expect(
            prompts.count == 500 && prompts.allSatisfy { !$0.style.isHeldOut && $0.first.context == $0.second.context })
        #expect(pairs(2000, .heldOut).allSatisfy { $0.subject.isHeldOut && $0.second!.isHeldOut })
        #expect(Evaluation.pairPrompts(count: 20) == Evaluation.pairPrompts(count: 20))
    }

    @Test func aPairPromptsSceneIsWhatItSays() {
        for (index, prompt) in Evaluation.pairPrompts(count: 50).enumerated() {
            let scene = prompt.scene(index: UInt64(index))
            #expect(scene.subject.kind == prompt.first.kind && scene.second?.kind == prompt.second.kind)
            #expect(scene.subject.colour == prompt.first.colour && scene.second?.colour == prompt.second.colour)
            #expect(!scene.subject.isHeldOut && scene.second?.isHeldOut == false)
            #expect(prompt.text.contains(" and "))
        }
    }

    /// Two individuals of a user's, in a place: the first stands left and the second right.
    @Test func givenIndividualsStandSideBySide() {
        let both = red.scene(in: .beach, beside: blue, number: 3).paint(size: 64)
        let swapped = red.scene(in: .beach, beside: .heldOut(.owl, index: 0), number: 3).paint(size: 64)
        func differing(_ columns: Range<Int>) -> Int {
            (0..<64).reduce(0) { sum, y in
                sum
                    + columns.count { x in
                        (0..<3).contains { both.pixels[3 * (64 * y + x) + $0] != swapped.pixels[3 * (64 * y + x) + $0] }
                    }
            }
        }
        #expect(differing(0..<24) == 0)
        #expect(differing(32..<64) > 200)
    }

    @Test func theSharesOfTheMixAreThoseStated() {
        let scenes = (0..<20_000).map { LittleWorld.scene(index: $0, seed: 8, split: .training) }
        func share(_ isCounted: (Scene) -> Bool) -> Float { Float(scenes.count(where: isCounted)) / 20_000 }
        #expect(abs(share { $0.second != nil } - LittleWorld.Share.pairs) < 0.01)
        #expect(abs(share { $0.accessory != .none } - LittleWorld.Share.accessories) < 0.02)
        #expect(abs(share { $0.finish != .plain } - LittleWorld.Share.finishes) < 0.02)
        #expect(abs(share { $0.style == .photo } - LittleWorld.Share.photos) < 0.02)
        #expect(share { $0.finish != .plain && $0.accessory != .none } > 0.08)
    }
}
