import Checkpoints
import Foundation
import Glibc
import Hashing
import Images
import Layers

/// The pictures beside a checkpoint: for each, its concept's name and its PNG, each behind its length.
enum ProxyCheckpoint {
    private static let ending = ".proxies"

    /// Writes the pictures; gives the file's digest.
    static func write(_ pictures: [String: [Picture]], beside path: String) throws -> String {
        var data = Data()
        func append(_ bytes: [UInt8]) {
            withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: bytes)
        }
        for (concept, drawn) in pictures.sorted(by: { $0.key < $1.key }) {
            for picture in drawn {
                append(Array(concept.utf8))
                append(try picture.png())
            }
        }
        try data.write(to: URL(fileURLWithPath: path + ending), options: .atomic)
        return SHA256Digest.of(data).description
    }

    /// Has the pictures beside one checkpoint lie beside another too, in the same file. Gives whether they do now.
    static func share(_ path: String, with next: String) -> Bool { link(path + ending, next + ending) == 0 }

    /// Reads them; none where the file is not the one the digest is of: they are drawn again then.
    static func pictures(beside path: String, digest: String?) -> [String: [Picture]] {
        guard let data = FileManager.default.contents(atPath: path + ending),
            SHA256Digest.of(data).description == digest
        else { return [:] }
        var parts: [[UInt8]] = []
        var rest = data[...]
        while rest.count >= 4 {
            let count = rest.prefix(4).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
            parts.append(Array(rest.dropFirst(4).prefix(count)))
            rest = rest.dropFirst(4 + count)
        }
        var pictures: [String: [Picture]] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let picture = try? Picture(png: parts[index + 1]) else { return [:] }
            pictures[String(decoding: parts[index], as: UTF8.self), default: []].append(picture)
        }
        return pictures
    }
}
