import Checkpoints
import Tensors

extension Safetensors {
    /// A tensor's numbers as floats.
    package func tensor(_ name: String) throws -> Tensor {
        let entry = try entry(name)
        let result = Tensor(uninitialized: entry.shape)
        let source = bytes(entry)
        let target = UnsafeMutableBufferPointer(start: result.pointer, count: entry.count)
        switch entry.type {
        case .float32: UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        case .float16: for i in target.indices { target[i] = Float(read(source, i, as: Float16.self)) }
        case .bfloat16:
            for i in target.indices { target[i] = Float(bitPattern: UInt32(read(source, i, as: UInt16.self)) << 16) }
        case .float64: for i in target.indices { target[i] = Float(read(source, i, as: Double.self)) }
        case .int64: for i in target.indices { target[i] = Float(read(source, i, as: Int64.self)) }
        case .int32: for i in target.indices { target[i] = Float(read(source, i, as: Int32.self)) }
        case .int16: for i in target.indices { target[i] = Float(read(source, i, as: Int16.self)) }
        case .int8: for i in target.indices { target[i] = Float(read(source, i, as: Int8.self)) }
        case .uint8, .bool: for i in target.indices { target[i] = Float(source[i]) }
        }
        return result
    }

    /// A tensor's whole numbers.
    /// - Throws: `SafetensorsError` when its type is not an integer or Boolean.
    package func integers(_ name: String) throws -> [Int] {
        let entry = try entry(name)
        let source = bytes(entry)
        switch entry.type {
        case .int64: return (0..<entry.count).map { Int(read(source, $0, as: Int64.self)) }
        case .int32: return (0..<entry.count).map { Int(read(source, $0, as: Int32.self)) }
        case .int16: return (0..<entry.count).map { Int(read(source, $0, as: Int16.self)) }
        case .int8: return (0..<entry.count).map { Int(read(source, $0, as: Int8.self)) }
        case .uint8, .bool: return source.map(Int.init)
        case .float64, .float32, .float16, .bfloat16:
            throw SafetensorsError(
                path: path, problem: "\(name) is \(entry.type.rawValue); whole numbers are needed here")
        }
    }

    private func read<Value>(_ source: UnsafeRawBufferPointer, _ index: Int, as type: Value.Type) -> Value {
        source.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: type)
    }

    /// Every tensor of a file, as floats.
    package static func tensors(_ path: String) throws -> [String: Tensor] {
        let file = try Safetensors(path: path)
        return try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.tensor($0)) })
    }
}
