import Images
import LittleWorld

/// What pretraining shows its models.
extension PretrainingOptions {
    /// What a step trains on.
    func scenes(step: Int, seed: UInt64) -> [Scene] {
        (0..<batch).map { LittleWorld.scene(index: UInt64(step * batch + $0), seed: seed, split: .training) }
    }

    /// Scenes whose captions the sheets show.
    static var sheetScenes: [Scene] { (0..<36).map { LittleWorld.scene(index: UInt64($0), seed: 2, split: .training) } }

    /// Pictures of subjects that training never sees.
    static func heldOutPictures(size: Int) -> [Picture] {
        (0..<36).map { LittleWorld.scene(index: UInt64($0), seed: 1, split: .heldOut).paint(size: size) }
    }
}
