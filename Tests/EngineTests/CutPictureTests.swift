import ComputeTesting
import Images
import Jobs
import ModelTesting
import Testing

@testable import Engine

/// Pictures of a size that is none of a model's shapes.
@Suite(.computing) struct CutPictureTests {
    private func run(_ models: TinyModels, _ model: String, size: String? = nil) throws -> Run {
        var spec: [String: JSONValue] = [
            "version": 1, "kind": "generate", "model": .string(model), "prompts": ["a red dog"],
            "images_per_prompt": 2, "seed": 3,
        ]
        spec["size"] = size.map(JSONValue.string)
        return try Run(models, spec)
    }

    private func pictures(_ run: Run) throws -> [Picture] {
        try run.artifacts.filter { $0.role == .picture }.map { try Picture(pngFile: $0.path) }
    }

    /// They are what is drawn in the shape, reduced and cut.
    @Test(arguments: ["pocket-infinity", "pocket-chameleon", "pocket-llamagen", "pocket-diffusion"])
    func theyAreCutFromAShape(model: String) throws {
        let models = try TinyModels()
        let (whole, cut) = try (run(models, model), run(models, model, size: "9x8"))
        #expect(try pictures(cut) == pictures(whole).map { $0.filling(width: 9, height: 8) })
        #expect(try pictures(cut).allSatisfy { $0.width == 9 && $0.height == 8 } && cut.digests(.picture).count == 2)
        #expect(cut.result?["size"] == "9x8" && cut.result?["shape"] == "16x16")
        #expect(whole.result?["size"] == "16x16" && whole.result?["shape"] == nil)
    }

    @Test(arguments: ["17x16", "8x16"]) func whatNoShapeCoversIsRefused(size: String) throws {
        let failure = #expect(throws: JobFailure.self) { try run(TinyModels(), "pocket-llamagen", size: size) }
        #expect(failure?.code == "input.size" && failure?.problems?.map(\.pointer) == ["/size"])
        #expect(failure?.problems?.first?.allowed.hasPrefix("16x16, or smaller") == true)
    }
}
