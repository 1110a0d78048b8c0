import Foundation

/// What a file's first bytes say it is.
enum FileKind: Equatable {
    case safetensors
    case zip
    /// A pickle, as torch wrote before it wrote zip archives.
    case pickle
    /// JSON, as an index of shards is.
    case json
    /// Something that holds no tensors for us: what it is and what to do.
    case foreign(String)
    case unknown

    init(of bytes: UnsafeRawBufferPointer) {
        // First of all, for the header's length may look like anything.
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{"),
            bytes.loadUnaligned(as: UInt64.self) <= max(bytes.count, Safetensors.longestHeader)
        {
            self = .safetensors
            return
        }
        if let known = Self.foreign(bytes) {
            self = .foreign(known)
            return
        }
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
            self = .zip
            return
        }
        if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
            self = .pickle
            return
        }
        let text = bytes.prefix(64).drop { Self.blanks.contains($0) }
        if text.first == UInt8(ascii: "{") {
            self = .json
            return
        }
        if let words = Self.text(bytes) {
            self = .foreign(words)
            return
        }
        self = .unknown
    }

    private static let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]

    /// What is often met under a checkpoint's name.
    fileprivate static func foreign(_ bytes: UnsafeRawBufferPointer) -> String? {
        if bytes.starts(with: "version https://git-lfs".utf8) { return pointer(bytes) }
        if bytes.prefix(64).drop(while: { blanks.contains($0) }).first == UInt8(ascii: "<") {
            return "it is a web page (or XML), not a checkpoint: the address asks for a login or shows the file; "
                + "fetch the file itself"
        }
        if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
            return "it is a tar archive: unpack it, and name the checkpoint in it (torch before 0.1.10 wrote tar "
                + "archives: save such a one anew)"
        }
        return magics.first { bytes.dropFirst($0.place).starts(with: $0.magic) }?.meaning ?? message(bytes)
    }

    /// ONNX and Flax write no mark: their first fields tell them, the program's name in the one, the first key of a map
    /// in the other.
    private static func message(_ bytes: UnsafeRawBufferPointer) -> String? {
        func isText(from place: Int) -> Bool { bytes[place..<place + 4].allSatisfy(isLetter) }
        // As many as the longest beginning below has.
        guard bytes.count >= 11 else { return nil }
        if bytes[0] == 8, bytes[1] < 0x20, bytes[2] == 0x12, bytes[3] > 3, isText(from: 4) {
            return "it is an ONNX file, a program with its weights: take the model's safetensors or torch files"
        }
        let key: Int? = (0x81...0x8F).contains(bytes[0]) ? 1 : bytes[0] == 0xDE ? 3 : bytes[0] == 0xDF ? 5 : nil
        guard let key, (0xA4...0xBF).contains(bytes[key]) || bytes[key] == 0xD9 else { return nil }
        guard isText(from: bytes[key] == 0xD9 ? key + 2 : key + 1) else { return nil }
        return "it is a msgpack file (Flax): take the model's safetensors or torch files"
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// What a server said instead of the file, or notes: text from the beginning on.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
        let start = bytes.prefix(64)
        guard start.allSatisfy({ (0x20...0x7E).contains($0) || blanks.contains($0) }) else { return nil }
        let words = String(decoding: start, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return "it is text, not a checkpoint, and begins: \(words)"
    }

    private static func pointer(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: bytes.prefix(1024), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        let size = lines.first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
        return "it is a git-lfs pointer, not the file" + (size.map { " of \($0) bytes" } ?? "")
            + ": run git lfs pull, or fetch the file itself"
    }

    private static let magics: [(place: Int, magic: [UInt8], meaning: String)] = [
        (0, [0x1F, 0x8B], "it is compressed with gzip: gunzip it first"),
        (0, [0x28, 0xB5, 0x2F, 0xFD], "it is compressed with zstd: unzstd it first"),
        (0, [0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is compressed with xz: unxz it first"),
        (0, Array("BZh".utf8), "it is compressed with bzip2: bunzip2 it first"),
        (0, [0x37, 0x7A, 0xBC, 0xAF], "it is a 7z archive: unpack it first"),
        (0, Array("GGUF".utf8), "it is a GGUF file (llama.cpp): take the model's safetensors or torch files"),
        (0, [0x89, 0x48, 0x44, 0x46], "it is an HDF5 file (Keras): take the model's safetensors or torch files"),
        (0, [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "it is a NumPy array (.npy), not a checkpoint"),
        (0, [0x89, 0x50, 0x4E, 0x47], "it is a PNG picture"), (0, [0xFF, 0xD8, 0xFF], "it is a JPEG picture"),
        (0, Array("PK\u{5}\u{6}".utf8), "it is a zip archive with nothing in it"),
        (4, Array("TFL3".utf8), "it is a TensorFlow Lite file: take the model's safetensors or torch files"),
        (
            0, Array("L119547037146038801333356L".utf8),
            "it is a torch file of pickle protocol 0 or 1, which are not read: save it anew with torch.save"
        ),
    ]
}

/// What a file is, and what to do, that lies where a tokenizer or settings should: a git-lfs pointer, a web page; nil
/// where nobody can tell.
package func mistakenFile(_ data: Data) -> String? { data.withUnsafeBytes { FileKind.foreign($0) } }
