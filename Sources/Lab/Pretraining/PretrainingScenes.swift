import Engine
import Images
import LittleWorld
import Randomness
import Tensors

/// What pretraining shows its models.
extension PretrainingOptions {
    /// What a step trains on.
    func scenes(step: Int, seed: UInt64) -> [Scene] {
        (0..<batch).map { LittleWorld.scene(index: UInt64(step * batch + $0), seed: seed, split: .training) }
    }

    /// The same, `mannerShare` of them painted in no style that has a name.
    /// - Parameter purpose: of the generator that says which.
    func scenesInManners(step: Int, seed: UInt64, purpose: UInt64) -> [Scene] {
        var picks = Philox(seed: seed, purpose: purpose, index: UInt64(step))
        return scenes(step: step, seed: seed).enumerated().map { place, scene in
            guard picks.uniform() < mannerShare else { return scene }
            return scene.painted(in: Manner(index: UInt64(step * batch + place), seed: seed))
        }
    }

    /// Which scenes of a step are shown without their captions, one in ten: what guidance leads away from.
    /// - Parameter purpose: of the generator that draws them.
    func dropped(step: Int, purpose: UInt64) -> Set<Int> {
        var drops = Philox(seed: seed, purpose: purpose, index: UInt64(step))
        return Set((0..<batch).filter { _ in drops.uniform() < 0.1 })
    }

    /// Pictures for the sheets, of subjects that training never sees.
    var heldOutPictures: [Picture] { HeldOutScenes.all(count: sheetPictures).painted(size: pictureSize) }

    /// Pictures in rows of twelve, each row above what a model made of it; `made` is told which ones.
    static func sheet(_ pictures: [Picture], made: (Range<Int>) -> [Picture]) -> Picture {
        Grid.rows(of: 12, pictures.indices.parts(of: 12).flatMap { pictures[$0] + made($0) })
    }

    /// Pictures of training captions above what a model draws of these, each with its place in the row as its seed.
    func sheet(drawing: (_ captions: [String], _ seeds: [UInt64]) -> [Picture]) -> Picture {
        let scenes = (0..<sheetPictures).map { LittleWorld.scene(index: UInt64($0), seed: 2, split: .training) }
        return PretrainingOptions.sheet(scenes.map { $0.paint(size: pictureSize) }) { row in
            drawing(scenes[row].map(\.caption), row.map { UInt64($0) })
        }
    }
}
