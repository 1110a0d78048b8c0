import Foundation
import Hashing
import Jobs

/// A model as it lies on the disk: what its files say of themselves, without a tensor being read.
package struct ModelFolder: Sendable {
    /// One file of weights.
    package struct Weights: Sendable {
        package let name: String
        package let bytes: Int
        /// How many numbers are in it; 0 where it is damaged.
        package let parameters: Int
        /// What is wrong with it, or nil.
        package let problem: String?
    }

    package let name: String
    package let weights: [Weights]
    /// What is wrong with the model beside its weights, or nil.
    package let problem: String?

    /// Whether jobs can name it.
    package var isNamedByJobs: Bool { ModelName(rawValue: name) != nil }
    /// Everything that is wrong with it, each with the file it is in.
    package var problems: [String] { (problem.map { [$0] } ?? []) + weights.compactMap { file in file.problem.map { "\(file.name): \($0)" } } }

    /// The models in a folder, by name.
    package static func all(in directory: String) throws -> [ModelFolder] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            .filter { access("\(directory)/\($0)/config.json", F_OK) == 0 }.map { ModelFolder(name: $0, in: directory) }
    }

    private init(name: String, in directory: String) {
        self.name = name
        let folder = "\(directory)/\(name)"
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".safetensors") }.sorted()
        weights = files.map { Self.weights($0, in: folder) }
        if (FileManager.default.contents(atPath: folder + "/config.json").flatMap { try? JSONValue(json: $0) }) == nil { problem = "config.json: is not JSON" } else {
            problem = files.isEmpty ? "has no weights: copy its .safetensors files here" : nil
        }
    }

    private static func weights(_ name: String, in folder: String) -> Weights {
        do {
            let outline = try SafetensorsOutline(path: folder + "/" + name)
            return Weights(name: name, bytes: outline.bytes, parameters: outline.parameters, problem: nil)
        } catch {
            return Weights(name: name, bytes: 0, parameters: 0, problem: "\(error)")
        }
    }
}

/// The header of a safetensors file, held against its size: whether the file is whole.
struct SafetensorsOutline {
    /// Why a file is not what it should be.
    struct Damage: Error, CustomStringConvertible { let description: String }

    let bytes: Int
    let parameters: Int
    private static let widths = ["F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1]

    init(path: String) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw Damage(description: "cannot be read") }
        defer { try? file.close() }
        bytes = Int(try file.seekToEnd())
        try file.seek(toOffset: 0)
        let head = try file.read(upToCount: 8) ?? Data()
        let length = head.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        guard head.count == 8, length <= 100 << 20, 8 + length <= UInt64(bytes) else { throw Damage(description: "is cut off: \(bytes) bytes do not hold its header") }
        guard case .object(let tensors) = try? JSONValue(json: try file.read(upToCount: Int(length)) ?? Data()) else { throw Damage(description: "its header is not JSON") }
        var end = 0, count = 0
        for (name, tensor) in tensors where name != "__metadata__" {
            let shape = (tensor["shape"]?.array ?? []).compactMap(\.integer), offsets = (tensor["data_offsets"]?.array ?? []).compactMap(\.integer)
            let size = shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
            guard let width = Self.widths[tensor["dtype"]?.string ?? ""], offsets.count == 2, offsets[1] - offsets[0] == size * width else {
                throw Damage(description: "its header contradicts itself about \(name)")
            }
            (end, count) = (max(end, offsets[1]), count + size)
        }
        guard 8 + Int(length) + end == bytes else { throw Damage(description: "has \(bytes) bytes; its header tells of \(8 + Int(length) + end)") }
        parameters = count
    }
}
