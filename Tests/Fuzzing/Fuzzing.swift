import Foundation

/// What libFuzzer drives: a reader of bytes from strangers.
protocol FuzzTarget: Sendable {
    /// Where the search begins: whole inputs of every form.
    static var seeds: [String: [UInt8]] { get }
    /// Words the inputs are made of.
    static var words: [String] { get }
    /// Reads an input and ends the program where something is not as it must be; refusing it is as it must be.
    static func read(_ bytes: UnsafeBufferPointer<UInt8>)
}

private let targets: [String: any FuzzTarget.Type] = [
    "job": JobBody.self, "png": PNGPicture.self, "jpeg": JPEGPicture.self, "webp": WebPPicture.self,
    "profile": ColourProfileFile.self, "safetensors": WeightFile.self, "torch": TorchFile.self,
]
nonisolated(unsafe) private var target: any FuzzTarget.Type = JobBody.self

/// `fuzz seeds TARGET FOLDER` writes the seeds and, beside the folder, a dictionary; `fuzz TARGET …` hands the rest to
/// libFuzzer, whose `main` this program has (compiler-rt, FuzzerInterface.h).
@_cdecl("LLVMFuzzerInitialize")
func initialize(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
    let words = CommandLine.arguments.dropFirst()
    let isSeeding = words.first == "seeds"
    guard let name = words.dropFirst(isSeeding ? 1 : 0).first, let chosen = targets[name] else {
        FileHandle.standardError.write(
            Data("fuzz: name one of \(targets.keys.sorted().joined(separator: ", "))\n".utf8))
        exit(64)
    }
    if isSeeding {
        do { try write(chosen, to: words.last!) } catch { fatalError("\(error)") }
        exit(0)
    }
    target = chosen
    // The target's word goes; libFuzzer insists on the program's name where it was.
    arguments.pointee[1] = arguments.pointee[0]
    count.pointee -= 1
    arguments.pointee += 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    target.read(UnsafeBufferPointer(start: bytes, count: count))
    return 0
}

private func write(_ target: any FuzzTarget.Type, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, bytes) in target.seeds { try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
    let lines = target.words.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"\n" }
    try lines.joined().write(toFile: folder + ".dict", atomically: true, encoding: .utf8)
}
