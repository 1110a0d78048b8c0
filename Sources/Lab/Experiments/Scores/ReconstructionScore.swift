import Engine
import Evaluation
import Images
import LittleWorld

/// What a tokenizer keeps of pictures of individuals never seen in training, style by style.
struct ReconstructionScore {
    private var overall = SignalToNoise()
    private var inTraining = SignalToNoise()
    private var styles: [Style: SignalToNoise] = [:]

    /// - Parameters:
    ///   - count: of pictures, in every style.
    ///   - size: theirs, pixels on a side.
    ///   - reconstructing: gives what is left of each.
    init(count: Int, size: Int, reconstructing: ([Picture]) -> [Picture]) {
        let scenes = HeldOutScenes.all(count: count)
        let pictures = scenes.painted(size: size)
        for (scene, pair) in zip(scenes, zip(pictures, reconstructing(pictures))) {
            overall.add(pair.0, reconstruction: pair.1)
            if !scene.style.isHeldOut { inTraining.add(pair.0, reconstruction: pair.1) }
            styles[scene.style, default: SignalToNoise()].add(pair.0, reconstruction: pair.1)
        }
    }

    /// Of all pictures.
    var decibels: Double { overall.decibels }

    /// Of those in styles that training shows; nil where there are none.
    var known: Double? { styles.keys.contains { !$0.isHeldOut } ? inTraining.decibels : nil }

    /// A line a style.
    var table: String {
        Style.allCases.compactMap { style in
            styles[style].map {
                """
                  \($0.decibels.rounded(digits: 2)) dB \
                \(style.name)\(style.isHeldOut ? " (never seen in training)" : "")\n
                """
            }
        }.joined()
    }
}
