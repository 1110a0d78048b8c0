import Foundation
import Images
import Personalization

/// What a comparison has made so far. Every file is whole or not there: a run that was stopped goes on from them.
struct CompositionFolder {
    let path: String

    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path + "/adapters", withIntermediateDirectories: true)
    }

    /// The adapter of that name, learned by `learn` where there is none yet.
    func adapter(_ name: String, learn: () throws -> Adapter) throws -> Adapter {
        try adapters([name]) { [try learn()] }[0]
    }

    /// Adapters that are learned together, all by `learn` where one is missing.
    func adapters(_ names: [String], learn: () throws -> [Adapter]) throws -> [Adapter] {
        let files = names.map { "\(path)/adapters/\($0).safetensors" }
        if !files.allSatisfy(FileManager.default.fileExists) {
            for (file, adapter) in zip(files, try learn()) { try whole(file) { try adapter.write($0) } }
        }
        return try files.map { try Adapter(path: $0) }
    }

    /// The pictures of that series, drawn by `draw` where one is missing.
    func pictures(_ series: String, count: Int, draw: () throws -> [Picture]) throws -> [Picture] {
        let folder = "\(path)/pictures/\(series)"
        let files = (0..<count).map { "\(folder)/\($0).png" }
        if !files.allSatisfy(FileManager.default.fileExists) {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (file, picture) in zip(files, try draw()) { try whole(file) { try picture.writePNG($0) } }
        }
        return try files.map { try Picture(pngFile: $0) }
    }

    func write(_ text: String, as name: String) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }

    /// Writes beside the file, then puts it in its place.
    private func whole(_ file: String, _ write: (String) throws -> Void) throws {
        let draft = file + ".draft"
        try write(draft)
        guard rename(draft, file) == 0 else { throw CocoaError.unwritable(file, errno) }
    }
}
