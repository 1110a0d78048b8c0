import ComputeTesting
import Images
import Testing

@testable import LittleWorld

/// Two subjects in one picture.
@Suite(.computing) struct PairTests {
    private let red = Subject.heldOut(.cat, index: 1), blue = Subject.heldOut(.dog, index: 2)

    private func pairs(_ count: Int, _ split: Split = .training) -> [Scene] {
        (0..<count).map { LittleWorld.scene(index: UInt64($0), seed: 6, split: split) }.filter { $0.second != nil }
    }

    private func isReserved(_ scene: Scene) -> Bool {
        func prompt(_ subject: Subject) -> Evaluation.Prompt {
            Evaluation.Prompt(kind: subject.kind, colour: subject.colour, context: .plain, style: .photo)
        }
        return Evaluation.isReserved(prompt(scene.subject), prompt(scene.second!))
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
        let (shown, heldOut) = (pairs(30_000), pairs(4000, .heldOut))
        #expect(shown.count > 3000 && !shown.contains(where: isReserved))
        #expect(heldOut.contains(where: isReserved), "individuals that training does not know are in any pair")
        #expect(heldOut.allSatisfy { $0.subject.isHeldOut && $0.second!.isHeldOut })
    }

    @Test func pairsToScoreByAreReservedAndTheirCaptionsNameAllThatIsScored() {
        let scenes = Evaluation.pairs(count: 400)
        let finishes: [Finish] = [.plain, .shiny, .plain, .glowing]
        #expect(scenes.count == 400 && Array(scenes.prefix(100)) == Evaluation.pairs(count: 100))
        for (index, scene) in scenes.enumerated() {
            let (first, second) = (scene.subject, scene.second!)
            #expect(isReserved(scene) && !first.isNamed(like: second))
            #expect(scene.style.keepsColour && !scene.style.isHeldOut && scene.accessory == .none)
            #expect(scene.finish == finishes[index % 4])
            #expect(scene.subjects.allSatisfy { !$0.isHeldOut && $0.pattern == .plain })
            let left = [scene.finish.name, first.colour.name, first.kind.name].filter { !$0.isEmpty }
            let right = [second.colour.name, second.kind.name, scene.context.name].filter { !$0.isEmpty }
            let who = scene.caption.split(separator: " and ")
            #expect(who.count == 2 && who[0].hasPrefix("a \(scene.style.name) of a"), "\(scene.caption)")
            #expect(who[0].hasSuffix(" " + left.joined(separator: " ")), "\(scene.caption)")
            #expect(who[1].hasPrefix("a") && who[1].hasSuffix(" " + right.joined(separator: " ")), "\(scene.caption)")
        }
        #expect(Set(scenes.map(\.context)).count == Context.allCases.count)
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
        #expect(abs(share { $0.second != nil } - 0.125) < 0.01)
        #expect(abs(share { $0.accessory != .none } - LittleWorld.Share.accessories) < 0.02)
        #expect(abs(share { $0.finish != .plain } - LittleWorld.Share.finishes) < 0.02)
        #expect(abs(share { $0.style == .photo } - LittleWorld.Share.photos) < 0.02)
        #expect(share { $0.finish != .plain && $0.accessory != .none } > 0.08)
    }
}
