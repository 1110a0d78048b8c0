import Checkpoints
import ComputeTesting
import FileTesting
import Layers
import Randomness
import Tensors
import Testing

/// Damaged files are refused or read, never the end of the program.
@Suite(.computing) struct SafetensorsMutationTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private static let original = HandmadeSafetensors(
        #"""
        {"__metadata__":{"step":"3"},"bias":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"empty":{"dtype":"I8",\#
        "shape":[0],"data_offsets":[16,16]},"ids":{"dtype":"I64","shape":[2,1],"data_offsets":[16,32]},\#
        "mask":{"dtype":"BOOL","shape":[3],"data_offsets":[32,35]},"half":{"dtype":"BF16","shape":[2,3],\#
        "data_offsets":[35,47]}}
        """#,
        (0..<47).map { UInt8($0 * 5) })
    /// What a number in the header may become.
    private static let numbers = [
        "0", "1", "-1", "3", "17", "48", "1e3", "1.5", "true", "null", "4294967296", "9223372036854775807",
        "-9223372036854775808", "1e999",
    ]

    @Test(.timeLimit(.minutes(10))) func twoThousandDamagedFilesEndInTensorsOrAnError() throws {
        var generator = Philox(seed: 2026)
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<2000 {
            let path = try folder.write(damaged(&generator))
            do {
                let file = try Safetensors(path: path)
                for name in file.names where try file.entry(name).type != nil { try check(file, name) }
                outcomes.read += 1
            } catch let error as CheckpointError {
                #expect(error.path == path && !error.problem.isEmpty)
                outcomes.refused += 1
            }
        }
        #expect(outcomes.read > 100 && outcomes.refused > 500, "\(outcomes): the damage does not reach every depth")
    }

    /// Reads a tensor in every way there is.
    private func check(_ file: Safetensors, _ name: String) throws {
        let entry = try file.entry(name)
        let tensor = try file.tensor(name)
        #expect(
            tensor.values.count == entry.count && entry.contiguousBytes?.count == entry.count * (entry.type?.size ?? 0))
        if entry.type?.isInteger == true {
            #expect(try file.integers(name).count == entry.count)
        } else {
            #expect(throws: CheckpointError.self) { try file.integers(name) }
        }
    }

    /// Bytes anywhere; or numbers and texts of the header, with the length set right again.
    private func damaged(_ generator: inout Philox) -> [UInt8] {
        if generator.below(2) == 0 {
            var tokens = Self.tokens
            var data = Self.original.data
            for _ in 0...generator.below(2) { replace(&tokens, &generator) }
            if generator.below(8) == 0 { data.removeLast(1 + generator.below(16)) }
            return HandmadeSafetensors(tokens.joined(), data).bytes
        }
        var bytes = Self.bytes
        for _ in 0...generator.below(3) {
            let place = generator.below(bytes.count)
            let part = place..<min(bytes.count, place + 1 + generator.below(8))
            switch generator.below(6) {
            case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
            case 1: bytes[place] = UInt8(generator.below(256))
            case 2: bytes.removeSubrange(part)
            case 3: bytes.insert(contentsOf: bytes[part], at: place)
            case 4: bytes[generator.below(8)] = UInt8(generator.below(256))
            default: bytes[bytes.count - 1 - generator.below(48)] = UInt8(generator.below(256))
            }
        }
        return bytes
    }

    private static let bytes = original.bytes
    /// The header cut into words, numbers and what lies between them.
    private static let tokens: [String] = original.header.reduce(into: []) { tokens, character in
        let isWord = character.isLetter || character.isNumber || character == "_"
        if isWord, let last = tokens.last?.last, last.isLetter || last.isNumber || last == "_" {
            tokens[tokens.count - 1].append(character)
        } else {
            tokens.append(String(character))
        }
    }

    /// Puts another number where one stands, or one word in another's place.
    private func replace(_ tokens: inout [String], _ generator: inout Philox) {
        let numbers = tokens.indices.filter { Int(tokens[$0]) != nil }
        let words = tokens.indices.filter { tokens[$0].first!.isLetter }
        if generator.below(3) > 0 {
            tokens[numbers[generator.below(numbers.count)]] = Self.numbers[generator.below(Self.numbers.count)]
        } else if !words.isEmpty {
            tokens[words[generator.below(words.count)]] = tokens[words[generator.below(words.count)]]
        }
    }
}
