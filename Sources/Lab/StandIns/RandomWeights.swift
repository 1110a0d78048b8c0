import Checkpoints
import Foundation
import Layers
import Randomness

/// Writes random weights of any number in the memory of one block, in bfloat16: what is measured on them is time and
/// memory, and neither asks whether two weights far apart are equal.
struct RandomWeights {
    /// Drawn once, and read again and again from places that no period of the model meets.
    private let block: [Float]
    private static let length = 1 << 20

    init() {
        var generator = Philox(seed: 1, purpose: 0x5354, index: 0)
        block = (0..<Self.length).map { _ in generator.normal() }
    }

    /// Writes a model's planned weights under their published names.
    /// - Throws: what the file system says.
    func write(_ weights: Weights, to path: String) throws {
        var layout = SafetensorsLayout(metadata: ["format": "pt"])
        for weight in weights.plan { layout.append(weight.name, weight.shape, .bfloat16) }
        try Data().write(to: URL(fileURLWithPath: path))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: layout.header)
        var place = 0
        for weight in weights.plan {
            var left = weight.shape.reduce(1, *)
            while left > 0 {
                let count = min(left, Self.length)
                try file.write(contentsOf: bytes(weight.initialization, of: weight.shape, from: place, count: count))
                (left, place) = (left - count, place + count + 7919)
            }
        }
        try file.synchronize()
    }

    /// Weights of a network, mapped from a file that is gone already.
    /// - Parameters:
    ///   - folder: where that lies meanwhile.
    ///   - plan: asks for them as the network does.
    /// - Throws: what the file system says.
    func mapped(in folder: String, _ plan: (Weights) -> Void) throws -> Weights {
        let file = "\(folder)/random-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let planned = Weights(.planned)
        plan(planned)
        try write(planned, to: file)
        return Weights(.stored(try Checkpoint.open(file)))
    }

    private func bytes(_ initialization: Initialization, of shape: [Int], from place: Int, count: Int) -> Data {
        let numbers: [UInt16] =
            switch initialization {
            case .zeros: [UInt16](repeating: 0, count: count)
            case .ones: [UInt16](repeating: Float(1).roundedToBFloat16, count: count)
            case .constant(let value): [UInt16](repeating: value.roundedToBFloat16, count: count)
            case .values(let values): values.map(\.roundedToBFloat16)
            case .normal, .uniform: drawn(Self.deviation(shape), from: place, count: count)
            }
        return numbers.withUnsafeBytes { Data($0) }
    }

    private func drawn(_ deviation: Float, from place: Int, count: Int) -> [UInt16] {
        (place..<place + count).map { (block[$0 % Self.length] * deviation).roundedToBFloat16 }
    }

    /// Keeps what goes through a matrix [out, in…] as large as it came, however deep the model.
    private static func deviation(_ shape: [Int]) -> Float {
        1 / Float(max(shape.dropFirst().reduce(1, *), 1)).squareRoot()
    }
}
