import Catalogue
import Foundation
import Jobs

/// A model's folder with everything but a network in it: one tensor of three numbers stands for all weights.
package enum StubModel {
    /// A file of safetensors with one tensor of three numbers; `number` tells its bytes from another's.
    package static func weights(_ number: UInt8 = 0) -> Data {
        let header = Data(
            #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#.utf8)
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
            + Data(repeating: number, count: 12)
    }

    /// Writes a model of a family and seals it. Gives what it says of itself.
    @discardableResult
    package static func write(
        _ name: String, _ family: ModelFamily, in directory: String, number: UInt8 = 0
    ) throws -> ModelDescription {
        let folder = "\(directory)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for file in ModelLayout.of(family).files {
            let bytes = file.hasSuffix(".safetensors") ? weights(number) : Data("{}".utf8)
            try bytes.write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
        }
        let description = ModelDescription(
            family: family, name: name, pictures: [.init(width: 64, height: 64)],
            limits: .init(promptTokens: 32, scales: 5, layers: 6, codes: 1024),
            encoders: family.draws ? .init(clip: "pocket-clip", dino: "pocket-dino") : nil, digest: "")
        try JSONEncoder().encode(description).write(
            to: URL(fileURLWithPath: "\(folder)/\(ModelDescription.fileName)"))
        try ModelFolder.seal(folder)
        return try ModelFolder.written(folder) ?? description
    }

    /// Those that tests' jobs name, under the names of the shipped ones.
    package static func writePocket(in directory: String) throws {
        try write("pocket-infinity", .infinity, in: directory)
        try write("pocket-chameleon", .chameleon, in: directory)
        try write("pocket-clip", .clip, in: directory)
        try write("pocket-dino", .dino, in: directory)
    }
}
