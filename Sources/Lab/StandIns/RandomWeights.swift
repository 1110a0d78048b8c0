import Checkpoints
import Foundation
import Layers
import Randomness

/// Random weights of any number in the memory of one block: what is measured on them is time and memory, and neither
/// asks whether two weights far apart are equal.
struct RandomWeights {
    /// Drawn once, and read again and again from places that no period of the model meets.
    private let block: [Float]
    private static let length = 1 << 20

    init() {
        var generator = Philox(seed: 1, purpose: 0x5354, index: 0)
        block = (0..<Self.length).map { _ in generator.normal() }
    }

    /// A model's planned weights, under their published names.
    func weights(_ planned: Weights) -> [RandomWeight] {
        var place = 0
        return planned.plan.map { name, shape, initialization in
            let weight = RandomWeight(
                name: name, shape: shape, initialization: initialization, block: block, place: place)
            place += weight.count + 7919
            return weight
        }
    }

    /// Weights of a network in bfloat16, mapped from a file that is gone already.
    /// - Parameters:
    ///   - folder: where that lies meanwhile.
    ///   - plan: asks for them as the network does.
    /// - Throws: what the file system says.
    func mapped(in folder: String, _ plan: (Weights) -> Void) throws -> Weights {
        let file = "\(folder)/random-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let planned = Weights(.planned)
        plan(planned)
        try ReleaseContainer.safetensors.write(weights(planned), as: .bfloat16, to: file)
        return Weights(.stored(try Checkpoint.open(file)))
    }
}

/// One of them, whose numbers there are only while they are written.
struct RandomWeight {
    let name: String
    let shape: [Int]
    fileprivate let initialization: Initialization
    fileprivate let block: [Float]
    /// Where in the block, or how often behind it, its numbers begin.
    fileprivate let place: Int

    /// How many numbers.
    var count: Int { shape.reduce(1, *) }

    /// Gives the bytes of its numbers in their order, of at most a block of them at a time.
    func write(as precision: Safetensors.Precision, _ body: (Data) throws -> Void) rethrows {
        for start in stride(from: 0, to: count, by: block.count) {
            try body(Self.bytes(numbers(start..<min(start + block.count, count)), precision))
        }
    }

    private func numbers(_ range: Range<Int>) -> [Float] {
        switch initialization {
        case .zeros: return [Float](repeating: 0, count: range.count)
        case .ones: return [Float](repeating: 1, count: range.count)
        case .constant(let value): return [Float](repeating: value, count: range.count)
        case .values(let values): return Array(values[range])
        case .normal, .uniform:
            let deviation = self.deviation
            return range.map { block[(place + $0) % block.count] * deviation }
        }
    }

    /// Keeps what goes through a matrix [out, in…] as large as it came, however deep the model.
    private var deviation: Float { 1 / Float(max(shape.dropFirst().reduce(1, *), 1)).squareRoot() }

    private static func bytes(_ numbers: [Float], _ precision: Safetensors.Precision) -> Data {
        switch precision {
        case .single: numbers.withUnsafeBytes { Data($0) }
        case .half: numbers.map { Float16($0) }.withUnsafeBytes { Data($0) }
        case .bfloat16: numbers.map(\.roundedToBFloat16).withUnsafeBytes { Data($0) }
        }
    }
}
