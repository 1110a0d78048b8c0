import Catalogue
import Checkpoints
import Foundation
import Images
import Jobs
import Layers
import Tensors

/// A fixture folder: what a reference implementation was given and what it computed (`case.json`, `io.safetensors`, and
/// `weights.safetensors` or `base_weights`).
struct ConformanceCase {
    let folder: String
    let description: [String: Any]
    let recorded: RecordedTensors

    init(folder: String) throws {
        self.folder = folder
        let path = "\(folder)/case.json"
        guard let data = FileManager.default.contents(atPath: path),
            let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        else { throw ConformanceError(folder: folder, problem: "case.json is missing or not a JSON object") }
        description = object
        recorded = try RecordedTensors(path: "\(folder)/io.safetensors")
    }

    /// Recorded tensors that nothing has read, but for those whose meaning says that they are for information only.
    var unread: [String] {
        let tensors = description["tensors"] as? [[String: Any]] ?? []
        let told = tensors.filter { ($0["meaning"] as? String)?.hasPrefix("information only") == true }
        let names = told.compactMap { $0["name"] as? String }
        return recorded.unread.filter { !names.contains($0) }
    }

    /// Keys of the configuration, by which the architecture is recognized.
    var configuration: [String: Any] { description["config"] as? [String: Any] ?? [:] }

    /// The weights beside the case, or those of the case it builds on.
    func weights() throws -> [String: Tensor] {
        if let base = description["base_weights"] as? String {
            return try Checkpoint.tensors("\(folder)/" + base.prefix { $0 != " " })
        }
        return try Checkpoint.tensors("\(folder)/weights.safetensors")
    }

    /// The case this one builds on.
    func base() throws -> ConformanceCase {
        guard let weights = description["base_weights"] as? String else {
            throw ConformanceError(folder: folder, problem: "base_weights is missing")
        }
        return try ConformanceCase(
            folder: "\(folder)/" + weights.split(separator: "/").dropLast().joined(separator: "/"))
    }

    func integer(_ key: String) throws -> Int { try value(key) }
    func integers(_ key: String) throws -> [Int] { try value(key) }
    func float(_ key: String) throws -> Float { Float(try value(key) as Double) }
    func floats(_ key: String) throws -> [Float] { (try value(key) as [Double]).map(Float.init) }

    func value<Value>(_ key: String) throws -> Value {
        guard let value = configuration[key] as? Value else {
            throw ConformanceError(folder: folder, problem: "config.\(key) is missing or not a \(Value.self)")
        }
        return value
    }

    /// Holds the configuration, or one part of it, against what is built.
    /// - Throws: `ConformanceError` for the first setting that is not.
    func hold(_ built: BuiltSettings, at part: String? = nil) throws {
        let settings = try decodedConfiguration(as: JSONValue.self)
        let held = part.map { settings[$0] ?? .null } ?? settings
        if let problem = built.problems(in: held).first {
            throw ConformanceError(folder: folder, problem: (part.map { "\($0): " } ?? "") + problem)
        }
    }

    /// The configuration as one of our types, which reads the reference's key names.
    func decodedConfiguration<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: configuration))
    }

    /// One part of the configuration as one of our types.
    func decodedConfiguration<Value: Decodable>(as type: Value.Type, at key: String) throws -> Value {
        let part: [String: Any] = try value(key)
        return try JSONDecoder().decode(type, from: JSONSerialization.data(withJSONObject: part))
    }

    /// Recorded pictures [B, H, W, 3] of bytes, or the one of [H, W, 3].
    func pictures(_ name: String) throws -> [Picture] {
        let shape = Array(try recorded.entry(name).shape.suffix(3))
        let each = shape.reduce(1, *)
        let bytes = try bits(name)
        return stride(from: 0, to: bytes.count, by: each).map {
            Picture(width: shape[1], height: shape[0], pixels: Array(bytes[$0..<$0 + each]))
        }
    }

    /// Recorded codes [B, h, w]: each picture's, row by row, and their grid.
    func codes(_ name: String) throws -> (pictures: [[Int32]], height: Int, width: Int) {
        let shape = try recorded.entry(name).shape
        guard shape.count == 3 else {
            throw ConformanceError(folder: folder, problem: "\(name) has the shape \(shape), not [B, h, w]")
        }
        let all = try recorded.integers(name).map(Int32.init)
        let each = shape[1] * shape[2]
        let pictures = (0..<shape[0]).map { Array(all[$0 * each..<($0 + 1) * each]) }
        return (pictures, shape[1], shape[2])
    }

    /// Real tokens of every sample, by a recorded mask [B, T].
    func lengths(_ mask: String) throws -> [Int] {
        let shape = try recorded.entry(mask).shape
        let values = try recorded.integers(mask)
        return (0..<shape[0]).map { values[$0 * shape[1]..<($0 + 1) * shape[1]].reduce(0, +) }
    }

    func tensor(_ name: String) throws -> Tensor { try recorded.tensor(name) }
    func bits(_ name: String) throws -> [UInt8] { try recorded.integers(name).map(UInt8.init) }
    func has(_ name: String) -> Bool { recorded.has(name) }
}

/// A fixture that cannot be run: where and why.
package struct ConformanceError: Error, CustomStringConvertible {
    let folder: String
    let problem: String
    /// The fixture's folder and the problem, in one line.
    package var description: String { "\(folder): \(problem)" }
}
