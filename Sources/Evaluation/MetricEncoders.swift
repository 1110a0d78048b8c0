import Backbones
import Foundation

/// What measures: CLIP and DINO, and LPIPS where its weights are given.
package struct MetricEncoders {
    /// Of CLIP-I, CLIP-T, style and text alignment.
    package let clip: CLIPEncoder
    /// Of DINO, PRES and subject alignment.
    package let dino: DINOEncoder
    /// Of DIV; nil where its weights are not given.
    package let lpips: LPIPS?

    /// An encoder that is not where it was looked for.
    package struct Missing: Error, Equatable, CustomStringConvertible {
        /// Where each was looked for.
        package let directories: [String]

        /// The directories, for people.
        package var description: String { "there is no encoder in \(directories.joined(separator: " and none in "))" }
    }

    /// Encoders that were read before.
    package init(clip: CLIPEncoder, dino: DINOEncoder, lpips: LPIPS? = nil) {
        self.clip = clip
        self.dino = dino
        self.lpips = lpips
    }

    /// Reads encoders by their folders' names, and the files of weights of the folder `lpips` where there is one.
    /// - Parameter directory: the folder of all models.
    /// - Throws: `Missing`, or what the files' readers throw.
    package init(directory: String, clip: String, dino: String) throws {
        let folders = try Self.folders(in: directory, [clip, dino])
        let files = MetricEncoders.lpipsFiles(in: "\(directory)/lpips")
        try self.init(
            clip: CLIPEncoder(directory: folders[0]), dino: DINOEncoder(directory: folders[1]),
            lpips: files.isEmpty ? nil : LPIPS(files: files))
    }

    /// Holds what the encoders' configurations say against what is to be there; no weight is read.
    /// - Parameter directory: the folder of all models.
    /// - Throws: `Missing`, or what is wrong with a configuration, one of the other encoder's kind among it.
    package static func check(directory: String, clip: String, dino: String) throws {
        let files = try folders(in: directory, [clip, dino]).map(EncoderFile.configuration.path(in:))
        _ = try ConfigurationFile.read(CLIPModel.Configuration.self, files[0])
        _ = try ConfigurationFile.read(DINOModel.Configuration.self, files[1])
    }

    /// - Throws: `Missing` naming every one that is not there.
    private static func folders(in directory: String, _ names: [String]) throws -> [String] {
        let folders = names.map { "\(directory)/\($0)" }
        let missing = folders.filter { !FileManager.default.fileExists(atPath: EncoderFile.configuration.path(in: $0)) }
        if !missing.isEmpty { throw Missing(directories: missing) }
        return folders
    }

    /// The files LPIPS is read from; none where it has no weights.
    /// - Parameter directory: its own folder.
    package static func lpipsFiles(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { name in [".safetensors", ".pth"].contains { name.hasSuffix($0) } }.sorted().map {
            "\(directory)/\($0)"
        }
    }
}
