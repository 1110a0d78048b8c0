import Randomness
import Tensors

/// Codes that nobody uses start anew from features (Dhariwal et al., arXiv 2005.00341, section 3.1).
struct CodeRestarts {
    /// The codebook, [codes, e].
    let codebook: Tensor
    let seed: UInt64
    let purpose: UInt64
    /// Steps after which an unused code starts anew.
    private let patience: Float = 100
    /// Steps since each code was last chosen [codes]; a run that goes on needs it.
    let idle: Tensor

    init(codebook: Tensor, seed: UInt64, purpose: UInt64) {
        (self.codebook, self.seed, self.purpose) = (codebook, seed, purpose)
        idle = Tensor(zeros: [codebook.shape[0]])
    }

    /// Every code starts near one of the first pictures' features [B, e, h, w].
    func startCodes(from features: Tensor) {
        var generator = Philox(seed: seed, purpose: purpose, index: 0)
        for code in 0..<idle.count { restart(code, from: features, &generator) }
    }

    /// Notes which codes a step chose; returns how many different ones.
    func note(_ indices: [Int32]) -> Int {
        let chosen = Set(indices)
        for code in 0..<idle.count {
            idle.pointer[code] = chosen.contains(Int32(code)) ? 0 : idle.pointer[code] + 1
        }
        return chosen.count
    }

    /// Codes that were not chosen for long become features of [B, e, h, w].
    func restartIdleCodes(from features: Tensor, step: Int) {
        var generator = Philox(seed: seed, purpose: purpose, index: UInt64(step + 1))
        for code in 0..<idle.count where idle.pointer[code] > patience {
            restart(code, from: features, &generator)
            idle.pointer[code] = 0
        }
    }

    /// The code becomes a random feature of [B, e, h, w], moved a little.
    private func restart(_ code: Int, from features: Tensor, _ generator: inout Philox) {
        let width = features.shape[1]
        let positions = features.shape[2] * features.shape[3]
        let sample = generator.below(features.shape[0])
        let position = generator.below(positions)
        let target = codebook.pointer + code * width
        for channel in 0..<width {
            target[channel] =
                features.pointer[(sample * width + channel) * positions + position] + 0.01 * generator.normal()
        }
    }
}
