import Checkpoints
import Tensors

/// Everything an optimizer's next step reads: each parameter's value, what the rule keeps beside it, and the number of
/// steps taken.
package struct OptimizerState {
    /// Steps taken.
    package let step: Int
    private let kept: [String: Kept]

    /// Where something is: in an optimizer's own memory, or in a file that is mapped and read when it is needed, so
    /// that a large state is never in memory twice.
    fileprivate enum Kept {
        case numbers(Tensor)
        case codes(ByteTensor)
        case stored(StoredTensor)
    }

    /// - Parameter tensors: the optimizer's `memory`: `value.<parameter>` and what its rule keeps beside it.
    package init(step: Int, tensors: [String: Tensor]) {
        self.step = step
        kept = tensors.mapValues(Kept.numbers)
    }

    /// Looks at the optimizer's own memory: write it out before the next step.
    package init(_ optimizer: some Optimizer) {
        step = optimizer.step
        let numbers = optimizer.memory.map { ($0.name, Kept.numbers($0.tensor)) }
        kept = Dictionary(uniqueKeysWithValues: numbers + optimizer.codes.map { ($0.name, Kept.codes($0.codes)) })
    }

    /// - Throws: `CheckpointError` when the file cannot be read, says no step, or holds other than floats and codes.
    package init(path: String) throws {
        let file = try Safetensors(path: path)
        guard let step = file.metadata["step"].flatMap(Int.init), step >= 0 else {
            throw CheckpointError(path: path, problem: "its metadata has no step: it is not a training checkpoint")
        }
        if let other = file.entries.values.first(where: { $0.type != .float32 && $0.type != .uint8 }) {
            throw CheckpointError(
                path: path, problem: "\(other.name) is \(other.typeName): it is not a training checkpoint")
        }
        self.step = step
        kept = file.entries.mapValues(Kept.stored)
    }

    /// Everything that is no code, by name: `value.<parameter>` and what the rule keeps beside it.
    /// - Throws: `CheckpointError` where the file cannot be read.
    package var tensors: [String: Tensor] { get throws { try kept.compactMapValues { try $0.numbers } } }

    /// The parameters alone, by name: what a finished training exports.
    /// - Throws: `CheckpointError` where the file cannot be read.
    package var values: [String: Tensor] {
        get throws {
            let parameters = try kept.filter { $0.key.hasPrefix("value.") }.compactMapValues { try $0.numbers }
            return Dictionary(
                uniqueKeysWithValues: parameters.map { (String($0.key.dropFirst("value.".count)), $0.value) })
        }
    }

    /// Writes it as floats and bytes, one after the other.
    /// - Throws: `CheckpointError` when the file cannot be written, or the one it is in cannot be read.
    package func write(_ path: String, metadata: [String: String] = [:]) throws {
        let codes = kept.compactMapValues { if case .codes(let codes) = $0 { codes } else { nil } }
        try Safetensors.write(
            tensors, codes: codes, to: path, metadata: metadata.merging(["step": String(step)]) { $1 })
    }

    /// Puts the state into an optimizer over the same parameters.
    /// - Throws: `WeightsError` naming everything that is missing, has another shape, is no number or cannot be read;
    ///   nothing is changed then.
    package func restore(_ optimizer: some Optimizer) throws(WeightsError) {
        var problems: [String] = []
        func expect(_ name: String, _ shape: [Int], codes: Bool) {
            guard let found = kept[name], found.shape == shape, found.isCodes == codes else {
                problems.append("\(name) is missing or has another shape than \(shape)")
                return
            }
        }
        for (name, target) in optimizer.memory { expect(name, target.shape, codes: false) }
        for (name, target) in optimizer.codes { expect(name, target.shape, codes: true) }
        for (name, kept) in kept.sorted(by: { $0.key < $1.key }) {
            do throws(CheckpointError) {
                if try kept.numbers?.isFinite == false { problems.append("\(name) holds values that are no numbers") }
            } catch { problems.append(error.problem) }
        }
        guard problems.isEmpty else { throw WeightsError(problems: problems) }
        do throws(CheckpointError) {
            for (name, target) in optimizer.memory { try target.assign(kept[name]!.numbers!) }
        } catch { throw WeightsError(problems: [error.problem]) }
        for (name, target) in optimizer.codes { target.assign(kept[name]!.bytes!) }
        optimizer.step = step
    }
}

extension OptimizerState.Kept {
    fileprivate var shape: [Int] {
        switch self {
        case .numbers(let tensor): tensor.shape
        case .codes(let codes): codes.shape
        case .stored(let tensor): tensor.shape
        }
    }

    fileprivate var isCodes: Bool {
        switch self {
        case .numbers: false
        case .codes: true
        case .stored(let tensor): tensor.type == .uint8
        }
    }

    /// Read from the file each time it is asked for; nil of codes.
    fileprivate var numbers: Tensor? {
        get throws(CheckpointError) {
            switch self {
            case .numbers(let tensor): return tensor
            case .codes: return nil
            case .stored(let tensor): return isCodes ? nil : try tensor.tensor()
            }
        }
    }

    /// Of codes, in place.
    fileprivate var bytes: UnsafeRawBufferPointer? {
        switch self {
        case .numbers: nil
        case .codes(let codes): codes.bytes
        case .stored(let tensor): isCodes ? tensor.contiguousBytes : nil
        }
    }
}
