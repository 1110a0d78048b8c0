import Autograd
import Backbones
import Catalogue
import Foundation
import Images
import Jobs
import Tensors

/// A tiny release: the files as people download them, and what the reference implementation computes from exactly these
/// (`expected.json`, `expected.safetensors`).
final class ReleaseCase {
    let folder: String
    let description: JSONValue
    let recorded: RecordedTensors
    private(set) var report = ConformanceReport()

    /// Nil where a folder is none.
    init?(folder: String) throws {
        guard let data = FileManager.default.contents(atPath: "\(folder)/expected.json") else { return nil }
        self.folder = folder
        description = try JSONValue(json: data)
        recorded = try RecordedTensors(path: "\(folder)/expected.safetensors")
    }

    // MARK: What is said

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func has(_ name: String) -> Bool { recorded.has(name) }

    func problem(_ text: String) -> ConformanceError { ConformanceError(folder: folder, problem: text) }

    func said(_ key: String) throws -> JSONValue {
        guard let value = description[key] else { throw problem("expected.json says no \(key)") }
        return value
    }

    func texts(_ key: String) throws -> [String] { try said(key).array?.compactMap(\.string) ?? [] }
    func text(_ key: String) throws -> String { try said(key).string ?? "" }
    func number(_ key: String) throws -> Double { try said(key).double ?? 0 }
    func floats(_ key: String) throws -> [Float] { try said(key).array?.compactMap { $0.double.map(Float.init) } ?? [] }

    /// What the files do not say.
    func unwritten(_ key: String) -> JSONValue? { description["config_not_in_files"]?[key] }

    /// The time step of the recorded predictions of a model's release, of 0…1000, which the semantics tell in words
    /// ("… at timestep 481"); FLUX is told its share of noise, of 0…1.
    func timestep(of model: ReleaseCase) -> Float {
        let words = ["unet_out", "transformer_out", "inputs"].compactMap { description["semantics"]?[$0]?.string }
        let told = words.compactMap { $0.firstMatch(of: /timestep (\d+(?:\.\d+)?)/) }.first.flatMap { Double($0.1) }
        let timestep = description["timestep"]?.double ?? told ?? 481
        return Float(model.has("packed_noise") && timestep <= 1 ? 1000 * timestep : timestep)
    }

    // MARK: What is recorded

    func tensor(_ name: String) throws -> Tensor { try recorded.tensor(name) }
    func integers(_ name: String) throws -> [Int] { try recorded.integers(name) }

    func bytes(_ name: String) throws -> [UInt8] { try integers(name).map(UInt8.init) }

    /// A picture [H, W, 3], or the `index`th of [N, H, W, 3].
    func picture(_ name: String, _ index: Int = 0) throws -> Picture {
        let shape = Array(try recorded.entry(name).shape.suffix(3))
        let count = shape.reduce(1, *)
        let all = try bytes(name)
        return Picture(width: shape[1], height: shape[0], pixels: Array(all[index * count..<(index + 1) * count]))
    }

    /// Latents [B, z, h, w] as FLUX's reference records them, [B, h/2 · w/2, 4·z]; others' as they are.
    func packed(_ latents: Tensor) -> Tensor {
        has("packed_noise") ? FluxTransformer.packed(Variable(latents)).value : latents
    }

    // MARK: Comparing

    /// Of a tensor's largest number: the release's own tolerance, or what it says of this tensor.
    private func tolerance(_ name: String) -> Double {
        func leading(_ text: Substring) -> Double? { Double(text.prefix { "0123456789.e-".contains($0) }) }
        /// A number, or the first one in words.
        func first(_ value: JSONValue?) -> Double? {
            value?.double ?? value?.string?.split(separator: " ").compactMap(leading).first
        }
        return first(description["tolerance_overrides"]?[name]) ?? first(description["tolerance"]) ?? 1e-4
    }

    /// - Parameter called: what the report calls it, where one tensor is compared several times.
    func compare(_ name: String, _ computed: Tensor, called: String? = nil) throws {
        report.compare(called ?? name, computed, try tensor(name), tolerance: tolerance(name))
    }

    func compareExactly(_ name: String, _ computed: [Int], called: String? = nil) throws {
        report.compareExactly(called ?? name, computed, try integers(name))
    }

    func compareExactly(_ name: String, _ computed: [UInt8]) throws {
        try compareExactly(name, computed.map(Int.init))
    }

    /// Something that is said, not recorded.
    func compareSaid<Value: Equatable>(_ name: String, _ computed: [Value], _ expected: [Value]) {
        report.compareExactly(name, computed, expected)
    }

    func comparePicture(_ name: String, _ computed: Picture) throws {
        report.compareSteps(name, computed.pixels, try bytes(name), tolerance: 1)
    }

    /// Says in the report what is not compared, for want of what a release need not have.
    func skip(_ name: String) { report.note("\(name) (skipped)", error: 0, tolerance: 0) }

    /// The report, in which every recorded tensor that nothing was held against is a failure.
    func finished() -> ConformanceReport {
        report.noteUnread(recorded.unread)
        return report
    }

    // MARK: The release as a model

    /// A model's folder made of the release's files, as `atelierctl models add --link` makes it; gone when `body`
    /// ends.
    func asModel<Result>(
        _ paths: [String]? = nil, _ wishes: ReleaseWishes = ReleaseWishes(),
        _ body: (String, RecognizedRelease) throws -> Result
    ) throws -> Result {
        let release = try ReleaseScan(paths ?? [folder]).recognized(wishes)
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        try release.write(to: place, links: true)
        return try body(place, release)
    }
}

extension Tensor {
    /// Every `step`th of the rows [.., T, C] of each sample.
    func everyRow(_ step: Int) -> Tensor {
        let (tokens, width) = (shape[shape.count - 2], self.width)
        let rows = (0..<count / (tokens * width)).flatMap { sample in
            stride(from: 0, to: tokens, by: step).flatMap { row -> [Float] in
                let start = (sample * tokens + row) * width
                return (start..<start + width).map { pointer[$0] }
            }
        }
        return Tensor(rows, shape: [rows.count / width, width])
    }

    /// Every `step`th row and column of maps [.., H, W].
    func everyPlace(_ step: Int) -> Tensor {
        let (height, width) = (shape[shape.count - 2], shape[shape.count - 1])
        let kept = (0..<count).filter { $0 % width % step == 0 && $0 / width % height % step == 0 }
        return Tensor(kept.map { pointer[$0] }, shape: [kept.count])
    }

    func clamped() -> Tensor { Tensor(values.map { min(max($0, -1), 1) }, shape: shape) }
}
