import Checkpoints
import ComputeTesting
import Foundation
import Tensors
import Testing

@testable import Personalization

/// A file that is no adapter is told for what it is, as an adapter that cannot be used.
@Suite(.computing) struct AdapterFileTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).safetensors")
        .path

    @Test(arguments: [
        ("version https://git-lfs.github.com/spec/v1\nsize 694824\n", "it is a git-lfs pointer"),
        ("<!DOCTYPE html><title>Sign in</title>", "it is a web page"),
        ("PK\u{3}\u{4}\u{0}\u{0}", "it is a zip archive"),
        ("", "it is empty"),
    ])
    func whatIsNoAdapterIsNamed(contents: String, meaning: String) throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(contents.utf8).write(to: URL(fileURLWithPath: path))
        let error = try #require(throws: AdapterError.self) { try Adapter(path: path) }
        #expect(error.description.hasPrefix("\(path) is not an Atelier adapter: \(meaning)"))
    }

    /// A later version may know more methods.
    @Test func anAdapterOfAnUnknownMethodSaysWhichAreKnown() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Safetensors.write(
            ["context.text": Tensor([0, 1], shape: [1, 2])], to: path, precision: .single,
            metadata: [
                "format": "atelier.adapter.v1",
                "description": #"{"method":"magic","model":"m","modelDigest":"","concept":"rex","role":"subject"}"#,
            ])
        let error = try #require(throws: AdapterError.self) { try Adapter(path: path) }
        #expect(
            error.description.hasSuffix("its method is magic; known are arbooth, coar, lora, proxy-tuning"), "\(error)")
    }

    /// Half precision ends at 65504.
    @Test(arguments: [(65_504, .float16), (-70_000, .float32)] as [(Float, ElementType)])
    func aNumberThatHalfPrecisionDoesNotHaveIsKept(number: Float, type: ElementType) throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let description = Adapter.Description(
            method: .coar, model: "m", modelDigest: "", concept: "rex", role: .subject, className: "dog", seed: 0,
            iterations: 0, options: "{}")
        try Adapter(description: description, tensors: ["context.text": Tensor([0, number], shape: [1, 2])]).write(path)
        #expect(try Adapter(path: path).tensors["context.text"]?.values == [0, number])
        #expect(try Safetensors(path: path).entry("context.text").type == type)
    }
}
