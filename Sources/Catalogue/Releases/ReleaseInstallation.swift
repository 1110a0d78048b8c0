import Checkpoints
import Foundation
import Jobs

extension RecognizedRelease {
    /// Writes the model's folder: `config.json`, the files that are taken as they are, and its weights, linked or
    /// converted once to safetensors.
    /// - Parameters:
    ///   - folder: a folder that is there and empty.
    ///   - links: whether weights stay where they are; those that are rearranged are converted all the same.
    /// - Throws: `CheckpointError`, or what the file system says.
    package func write(to folder: String, links: Bool, precision: CheckpointConversion.Precision = .stored) throws {
        try Self.write(configuration.adding("training", training), to: "\(folder)/\(ModelLayout.configuration)")
        for (name, source) in files {
            try Self.take(source, to: "\(folder)/\(name)", links: links)
        }
        for (name, text) in texts { try Self.write(text, to: "\(folder)/\(name)") }
        for part in parts {
            if links, part.rearranged == nil {
                try Self.link(part.piece, to: "\(folder)/\(part.stem)")
            } else {
                try part.conversion(precision).write("\(folder)/\(part.stem).safetensors")
            }
        }
    }

    /// Why its files cannot stay where they are; nil where they can.
    var unlinkable: String? {
        guard let part = parts.first(where: { $0.rearranged != nil }) else { return nil }
        return """
            \(part.piece.path): its tensors get other names and places than they have in the file, so a link would \
            not do: add it without --link
            """
    }

    private static func write(_ text: JSONValue, to path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try (text.line + Data("\n".utf8)).write(to: URL(fileURLWithPath: path))
    }

    private static func take(_ source: String, to target: String, links: Bool) throws {
        let source = URL(fileURLWithPath: source).resolvingSymlinksInPath().path
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        if links {
            try FileManager.default.createSymbolicLink(atPath: target, withDestinationPath: source)
        } else {
            try FileManager.default.copyItem(atPath: source, toPath: target)
        }
    }

    /// A link to a file of weights, called as it ends; of several, a folder of links.
    private static func link(_ piece: ReleasePiece, to stem: String) throws {
        let files = try Checkpoint.files(at: piece.path)
        if files.count == 1 {
            return try take(files[0], to: "\(stem).\((files[0] as NSString).pathExtension)", links: true)
        }
        for file in files { try take(file, to: "\(stem)/\((file as NSString).lastPathComponent)", links: true) }
    }
}

extension RecognizedRelease.Part {
    fileprivate func conversion(_ precision: CheckpointConversion.Precision) throws -> CheckpointConversion {
        guard let rearranged else {
            return CheckpointConversion(piece.checkpoint, precision: precision, isTaken: isTaken)
        }
        return CheckpointConversion(try rearranged(), precision: precision)
    }
}
