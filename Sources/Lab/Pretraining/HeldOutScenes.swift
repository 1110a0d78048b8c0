import LittleWorld

/// Scenes of individuals that training never sees.
enum HeldOutScenes {
    /// Of any style, the held-out ones included.
    static func all(count: Int) -> [Scene] {
        (0..<count).map { LittleWorld.scene(index: UInt64($0), seed: 1, split: .heldOut) }
    }

    /// In styles that training shows: what a classifier can be expected to know.
    static func known(count: Int) -> [Scene] {
        Array(
            (0...).lazy.map { LittleWorld.scene(index: UInt64($0), seed: 2, split: .heldOut) }.filter {
                !$0.style.isHeldOut
            }.prefix(count))
    }
}
