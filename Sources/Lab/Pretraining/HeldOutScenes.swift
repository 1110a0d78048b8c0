import LittleWorld

/// Scenes that training never sees.
enum HeldOutScenes {
    /// Of held-out individuals in any style, the held-out ones included.
    static func all(count: Int) -> [Scene] {
        (0..<count).map { LittleWorld.scene(index: UInt64($0), seed: 1, split: .heldOut) }
    }

    /// Of held-out individuals in styles that training shows: what a classifier can be expected to know.
    static func known(count: Int) -> [Scene] {
        Array(
            (0...).lazy.map { LittleWorld.scene(index: UInt64($0), seed: 2, split: .heldOut) }.filter {
                !$0.style.isHeldOut
            }.prefix(count))
    }

    /// Of captions that training never shows, behind those that `ModelScore` asks for; of training's individuals.
    static func captioned(count: Int) -> [Scene] {
        let prompts = Evaluation.dressedPrompts(count: ModelScore.mostPrompts + count)
        return prompts.indices.suffix(count).map { prompts[$0].scene(index: UInt64($0)) }
    }
}
