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
        self = .unknown
    }

    private static let blanks: [UInt8] = [0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF]

    /// What is often met under a checkpoint's name.
    private static func foreign(_ bytes: UnsafeRawBufferPointer) -> String? {
        if bytes.starts(with: "version https://git-lfs".utf8) { return pointer(bytes) }
        if bytes.prefix(64).drop(while: { blanks.contains($0) }).first == UInt8(ascii: "<") {
            return "it is a web page (or XML), not a checkpoint: the address asks for a login or shows the file; "
                + "fetch the file itself"
        }
        if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
            return "it is a tar archive: unpack it, and name the checkpoint in it (torch before 0.1.10 wrote tar "
                + "archives: save such a one anew)"
        }
        return magics.first { bytes.starts(with: $0.magic) }?.meaning
    }

    private static func pointer(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = String(decoding: bytes.prefix(1024), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline)
        let size = lines.first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
        return "it is a git-lfs pointer, not the file" + (size.map { " of \($0) bytes" } ?? "")
            + ": run git lfs pull, or fetch the file itself"
    }

    private static let magics: [(magic: [UInt8], meaning: String)] = [
        ([0x1F, 0x8B], "it is compressed with gzip: gunzip it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "it is compressed with zstd: unzstd it first"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "it is compressed with xz: unxz it first"),
        (Array("BZh".utf8), "it is compressed with bzip2: bunzip2 it first"),
        ([0x37, 0x7A, 0xBC, 0xAF], "it is a 7z archive: unpack it first"),
        (Array("GGUF".utf8), "it is a GGUF file (llama.cpp): take the model's safetensors or torch files"),
        ([0x89, 0x48, 0x44, 0x46], "it is an HDF5 file (Keras): take the model's safetensors or torch files"),
        ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "it is a NumPy array (.npy), not a checkpoint"),
        ([0x89, 0x50, 0x4E, 0x47], "it is a PNG picture"), ([0xFF, 0xD8, 0xFF], "it is a JPEG picture"),
        (Array("PK\u{5}\u{6}".utf8), "it is a zip archive with nothing in it"),
    ]
}
