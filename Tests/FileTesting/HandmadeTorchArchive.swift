import Checkpoints

/// A file of torch made by hand: a pickle and the storages it refers to, in either layout.
package struct HandmadeTorchArchive {
    package var pickle: [UInt8]
    /// Each storage's bytes, by key.
    package var storages: [(key: String, bytes: [UInt8])]

    package init(_ pickle: [UInt8], _ storages: [(key: String, bytes: [UInt8])] = []) {
        (self.pickle, self.storages) = (pickle, storages)
    }

    /// A flat state dict.
    package init(
        version: UInt8 = 2, _ entries: [(String, (inout PickleWriter) -> Void)],
        _ storages: [(key: String, bytes: [UInt8])] = []
    ) {
        var pickle = PickleWriter(version: version)
        pickle.dictionary(entries)
        self.init(pickle.ended, storages)
    }

    /// The zip archive, not yet put together.
    package var zip: HandmadeZip {
        HandmadeZip(
            [.init("a/data.pkl", pickle), .init("a/byteorder", Array("little".utf8))]
                + storages.map { .init("a/data/\($0.key)", $0.bytes) } + [.init("a/version", Array("3\n".utf8))])
    }

    /// As a zip archive.
    package var bytes: [UInt8] { zip.bytes }

    /// As pickles in a row, the storages of numbers of `size` bytes.
    package func legacy(size: Int = 4, isLittleEndian: Bool = true, counts: [Int]? = nil) -> [UInt8] {
        let magic: [UInt8] = [
            0x80, 2, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, UInt8(ascii: "."),
        ]
        var version = PickleWriter()
        version.integer(1001)
        var system = PickleWriter()
        system.dictionary([
            ("protocol_version", { $0.integer(1001) }), ("little_endian", { $0.boolean(isLittleEndian) }),
        ])
        var keys = PickleWriter()
        keys.code("]")
        keys.mark()
        for storage in storages { keys.text(storage.key) }
        keys.code("e")
        let data = storages.enumerated().flatMap { index, storage in
            HandmadeSafetensors.littleEndian(Int64(counts?[index] ?? storage.bytes.count / size)) + storage.bytes
        }
        return magic + version.ended + system.ended + pickle + keys.ended + data
    }

    /// Floats as a storage holds them.
    package static func floats(_ values: [Float]) -> [UInt8] {
        values.flatMap { HandmadeSafetensors.littleEndian($0.bitPattern) }
    }
}
