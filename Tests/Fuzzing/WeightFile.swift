import Checkpoints
import FileTesting
import Layers

/// A file of tensors: a model's, or an adapter that somebody else made.
enum WeightFile: FuzzTarget {
    static func read(_ bytes: UnsafeBufferPointer<UInt8>) {
        MemoryFile.write(bytes)
        do {
            let weights = try Safetensors(path: MemoryFile.path)
            for name in weights.names where try weights.entry(name).type?.isReal == true {
                try read(name, of: weights, within: bytes.count)
            }
        } catch let error as CheckpointError {
            precondition(error.path == MemoryFile.path && !error.problem.isEmpty)
        } catch {
            fatalError("\(error)")
        }
    }

    /// Reads a tensor in every way there is.
    private static func read(_ name: String, of weights: Safetensors, within size: Int) throws {
        let entry = try weights.entry(name)
        let tensor = try weights.tensor(name)
        precondition(
            tensor.values.count == entry.count && entry.contiguousBytes!.count == entry.count * entry.type!.size
                && entry.contiguousBytes!.count <= size)
        if entry.type!.isInteger, (try? weights.integers(name)) == nil { precondition(entry.type == .uint64) }
    }

    static var seeds: [String: [UInt8]] {
        let all = ElementType.allCases
        let each = all.map { type in
            (
                type.rawValue,
                HandmadeSafetensors(
                    #"{"w":{"dtype":"\#(type.rawValue)","shape":[2,1],"data_offsets":[0,\#(2 * type.size)]}}"#,
                    [UInt8](1...UInt8(2 * type.size))
                ).bytes
            )
        }
        let several = HandmadeSafetensors(
            #"""
            {"__metadata__":{"step":"3"},"bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},\#
            "empty":{"dtype":"I8","shape":[0],"data_offsets":[16,16]},"a\"\u0062":{"dtype":"BOOL","shape":[3],\#
            "data_offsets":[16,19]},"one":{"dtype":"U8","shape":[],"data_offsets":[19,20]}}
            """#,
            [UInt8](1...20)
        ).bytes
        return Dictionary(
            uniqueKeysWithValues: each + [
                ("several", several), ("none", HandmadeSafetensors("{}").bytes),
                ("padded", HandmadeSafetensors("{}     ").bytes),
            ])
    }

    static let words =
        ElementType.allCases.map { "\"\($0.rawValue)\"" } + [
            "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", "[0,0]", "[]", "{}", "-1", "1e3",
            "9223372036854775807", "-9223372036854775808", "null", "\\u0077",
        ]
}
