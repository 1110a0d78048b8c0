import Checkpoints
import Randomness
import Tensors

/// How a weight starts when no file gives it.
package enum Initialization {
    case zeros
    case ones
    case constant(Float)
    case normal(deviation: Float)
    /// Uniform in ±1/√fanIn, as PyTorch starts linear and convolution layers.
    case uniform(fanIn: Int)
    /// These numbers, row-major: a table that is computed, not learned.
    case values([Float])
}

/// The weights of one model, in order of creation. Model code asks for each weight once, by name and shape; whether it
/// is read from a checkpoint or freshly drawn is decided here, so one model definition serves loading and training from
/// nothing.
package final class Weights {
    /// Where the numbers come from.
    package enum Source {
        /// Every weight must be there.
        case checkpoint([String: Tensor])
        /// Every weight must be there, and only those that are asked for are read.
        case stored(Checkpoint)
        /// Those that fit by name and shape; the rest is drawn from the generator, in order of creation.
        case fitting([String: Tensor], seed: UInt64)
        /// Drawn from the generator, in order of creation.
        case fresh(seed: UInt64)
        /// Nothing is read or drawn: for who asks which weights there are, in memory that is never touched.
        case planned
    }

    private let source: Source
    private var generator: Philox
    /// In order of creation.
    package private(set) var parameters: [Parameter] = []
    /// The same by their names.
    package private(set) var byName: [String: Parameter] = [:]
    /// What a checkpoint lacked or had in another shape: an error to `verify` where all must be there.
    package private(set) var problems: [String] = []
    /// Of a planned model: how each weight would start, in order of creation.
    package private(set) var plan: [(name: String, shape: [Int], initialization: Initialization)] = []

    /// Nothing is read before a model asks for it.
    package init(_ source: Source) {
        self.source = source
        switch source {
        case .checkpoint, .stored, .planned: generator = Philox(seed: 0)
        case .fitting(_, let seed), .fresh(let seed): generator = Philox(seed: seed, purpose: 0x5745, index: 0)
        }
    }

    /// Whether a checkpoint that all weights come from holds one of this name.
    package func isGiven(_ name: String) -> Bool {
        switch source {
        case .fresh, .planned: false
        case .checkpoint(let tensors), .fitting(let tensors, _): tensors[name] != nil
        case .stored(let checkpoint): checkpoint.contains(name)
        }
    }

    /// The weight `name`, created on first use. Where a checkpoint lacks it, it may be called by one of `aliases`.
    /// - Parameters:
    ///   - isProjection: whether it is read by `project`.
    ///   - isTable: whether it is read by `rows`.
    package func parameter(
        _ name: String, _ shape: [Int], _ initialization: Initialization, aliases: [String] = [],
        isProjection: Bool = false, isTable: Bool = false
    ) -> Parameter {
        precondition(byName[name] == nil, "weight \(name) is asked for twice")
        let names = [name] + aliases
        let held = isProjection || isTable ? mapped(names, shape) : nil
        let parameter = Parameter(
            name: name, held ?? .single(value(names, shape, initialization)), isProjection: isProjection)
        if case .planned = source { plan.append((name, shape, initialization)) }
        parameters.append(parameter)
        byName[name] = parameter
        return parameter
    }

    private func value(_ names: [String], _ shape: [Int], _ initialization: Initialization) -> Tensor {
        switch source {
        case .fresh: draw(shape, initialization)
        case .fitting(let tensors, _): found(names, shape, in: tensors) ?? draw(shape, initialization)
        case .checkpoint(let tensors): found(names, shape, in: tensors) ?? Tensor(zeros: shape)
        case .stored(let checkpoint): read(names, shape, from: checkpoint) ?? Tensor(zeros: shape)
        case .planned: Tensor(uninitialized: shape)
        }
    }

    /// A matrix that its file holds in bfloat16 or in eight bits stays there; nil for every other weight, and for what
    /// is no such matrix or damaged, of which `value` says what is wrong.
    private func mapped(_ names: [String], _ shape: [Int]) -> StoredWeight? {
        guard case .stored(let checkpoint) = source, shape.count == 2,
            let name = names.first(where: checkpoint.contains), let stored = try? checkpoint.tensor(name),
            stored.shape == shape, let bytes = stored.contiguousBytes
        else { return nil }
        let matrix: MappedMatrix? =
            switch stored.type {
            case .bfloat16: MappedMatrix(bfloat16: bytes, rows: shape[0], columns: shape[1], owner: stored)
            case .int8:
                (try? checkpoint.scales(of: stored)).flatMap { $0 }.map {
                    MappedMatrix(int8: bytes, scales: $0, columns: shape[1], owner: stored)
                }
            default: nil
            }
        guard let matrix, matrix.isFinite else { return nil }
        return .mapped(matrix, stored)
    }

    private func read(_ names: [String], _ shape: [Int], from checkpoint: Checkpoint) -> Tensor? {
        guard let name = names.first(where: checkpoint.contains) else {
            problems.append("\(names.joined(separator: " or ")) is missing, expected shape \(shape)")
            return nil
        }
        do throws(CheckpointError) {
            let stored = try checkpoint.tensor(name)
            if Self.fits(stored.shape, shape) {
                defer { stored.forget() }
                let tensor = try stored.tensor().reshaped(shape)
                if let scales = try checkpoint.scales(of: stored) { tensor.scaleRows(by: scales) }
                return finite(tensor, name)
            }
            problems.append("\(name) has shape \(stored.shape), expected \(shape)")
        } catch { problems.append(error.problem) }
        return nil
    }

    /// The tensor, or nil and a problem.
    private func finite(_ tensor: Tensor, _ name: String) -> Tensor? {
        if tensor.isFinite { return tensor }
        problems.append("\(name) holds values that are no numbers")
        return nil
    }

    private func found(_ names: [String], _ shape: [Int], in tensors: [String: Tensor]) -> Tensor? {
        guard let name = names.first(where: { tensors[$0] != nil }), let tensor = tensors[name] else {
            problems.append("\(names.joined(separator: " or ")) is missing, expected shape \(shape)")
            return nil
        }
        guard Self.fits(tensor.shape, shape) else {
            problems.append("\(name) has shape \(tensor.shape), expected \(shape)")
            return nil
        }
        return finite(tensor.reshaped(shape), name)
    }

    /// A single number may stand in a row of one, as old versions of PyTorch wrote it and new ones read it.
    private static func fits(_ found: [Int], _ wanted: [Int]) -> Bool {
        found == wanted || wanted.isEmpty && found == [1]
    }

    private func draw(_ shape: [Int], _ initialization: Initialization) -> Tensor {
        let tensor = Tensor(zeros: shape)
        switch initialization {
        case .zeros: break
        case .ones: tensor.fill(1)
        case .values(let values): tensor.assign(Tensor(values, shape: shape))
        case .constant(let value): tensor.fill(value)
        case .normal(let deviation): for i in 0..<tensor.count { tensor.pointer[i] = generator.normal() * deviation }
        case .uniform(let fanIn):
            let bound = 1 / Float(max(fanIn, 1)).squareRoot()
            for i in 0..<tensor.count { tensor.pointer[i] = (2 * generator.uniform() - 1) * bound }
        }
        return tensor
    }

    /// - Throws: `WeightsError` naming every weight that a checkpoint lacked or had in another shape.
    package func verify() throws(WeightsError) {
        switch source {
        case .checkpoint, .stored: if !problems.isEmpty { throw WeightsError(problems: problems) }
        case .fitting, .fresh, .planned: break
        }
    }

    /// Makes exactly the weights that satisfy `isTrained` trainable.
    package func train(where isTrained: (String) -> Bool) {
        for parameter in parameters { parameter.isTrainable = isTrained(parameter.name) }
    }

    /// Those that learn, in order of creation.
    package var trainable: [Parameter] { parameters.filter(\.isTrainable) }
    /// Numbers in all weights.
    package var count: Int { parameters.reduce(0) { $0 + $1.count } }
}

/// A checkpoint that does not fit the model.
package struct WeightsError: Error, CustomStringConvertible {
    /// A sentence a weight, by its name.
    package let problems: [String]
    /// The first eight problems, and how many more there are.
    package var description: String {
        "the checkpoint does not fit the model: " + problems.prefix(8).joined(separator: "; ")
            + (problems.count > 8 ? "; and \(problems.count - 8) more" : "")
    }
}
