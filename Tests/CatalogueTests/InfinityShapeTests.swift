import Catalogue
import FileTesting
import Jobs
import Testing

/// The shapes Infinity was trained with, the sizes that are cut from them, and the models it was released in.
struct InfinityShapeTests {
    private let model = ModelDescription(
        family: .infinity, name: "infinity",
        pictures: InfinitySchedules.lasts(upTo: "1M").map { .init(width: 16 * $0.width, height: 16 * $0.height) },
        digest: "")

    @Test func whateverLiesBetweenOneToThreeAndThreeToOneHasAShape() {
        for side in 100...300 {
            for size in [ModelDescription.Size(width: side, height: 300), .init(width: 300, height: side)] {
                #expect(model.shape(of: size) != nil, "\(size)")
            }
        }
    }

    @Test(
        arguments: [
            ("512x768", "672x1008"), ("512x512", "512x512"), ("640x480", "960x720"), ("1280x720", "1344x768"),
            ("200x300", "224x336"), ("1920x1080", nil), ("1000x1100", nil), ("300x80", nil),
        ] as [(String, String?)])
    func theShapeIsTheNearest(size: String, shape: String?) throws {
        let asked = try #require(ModelDescription.Size(text: size))
        #expect(model.shape(of: asked)?.text == shape)
    }

    /// infinity/utils/dynamic_resolution.py: height over width and its inverse, and the sides after 1×1 and 2×2.
    @Test(
        arguments: [
            (1, 1, "4×4 6×6 8×8 12×12 16×16 20×20 24×24 32×32 40×40 48×48 64×64"),
            (1.25, 0.8, "3×3 5×4 10×8 15×12 20×16 25×20 30×24 35×28 45×36 55×44 70×56"),
            (1.333, 0.75, "4×3 8×6 12×9 16×12 20×15 24×18 28×21 36×27 48×36 60×45 72×54"),
            (1.5, 0.666, "3×2 6×4 9×6 15×10 21×14 27×18 33×22 39×26 48×32 63×42 78×52"),
            (1.75, 0.571, "3×3 7×4 11×6 14×8 21×12 28×16 35×20 42×24 56×32 70×40 84×48"),
            (2, 0.5, "4×2 6×3 10×5 16×8 22×11 30×15 38×19 46×23 60×30 74×37 90×45"),
            (2.5, 0.4, "5×2 10×4 15×6 20×8 25×10 30×12 40×16 50×20 65×26 80×32 100×40"),
            (3, 0.333, "6×2 9×3 15×5 21×7 27×9 36×12 45×15 54×18 72×24 90×30 111×37"),
        ] as [(Double, Double, String)])
    func schedulesAreTheAuthors(upright: Double, lying: Double, sides: String) throws {
        for (pixels, count) in [("0.06M", 7), ("0.25M", 10), ("0.60M", 12), ("1M", 13)] {
            let published = ("1×1 2×2 " + sides).split(separator: " ").prefix(count).map(String.init)
            let tall = try #require(InfinitySchedules.sides(pixels, ratio: upright))
            #expect(tall.map { "\($0.height)×\($0.width)" } == published, "\(pixels)")
            let wide = try #require(InfinitySchedules.sides(pixels, ratio: lying))
            #expect(wide.map { "\($0.width)×\($0.height)" } == published, "\(pixels)")
        }
    }

    /// tools/run_infinity.py: blocks, width, heads and groups of blocks; what the shapes in a file tell of them.
    @Test(
        arguments: [
            (12, 768, 8, 4, "125M (layer12)"), (16, 1152, 12, 4, "layer16"), (24, 1536, 16, 4, "1b (layer24)"),
            (32, 2080, 20, 4, "layer32"), (40, 2688, 24, 4, "layer40"), (48, 3360, 28, 4, "layer48"),
            (32, 2048, 16, 8, "2b"), (40, 3584, 28, 8, "8b"),
        ] as [(Int, Int, Int, Int, String)])
    func releasedSizesAreToldByTheirShapes(depth: Int, width: Int, heads: Int, groups: Int, title: String) throws {
        let folder = try TestFolder()
        var transformer: [String: [Int]] = [
            "pos_start": [1, 1, width], "word_embed.weight": [width, 32], "text_norm.weight": [2048],
            "lvl_embed.weight": [15, width], "cfg_uncond": [512, 1],
            "block_chunks.0.module.0.ffn.fc1.weight": [4 * width, 1],
        ]
        for block in 0..<depth {
            let (group, place) = (block * groups / depth, block % (depth / groups))
            transformer["block_chunks.\(group).module.\(place).sa.scale_mul_1H11"] = [1, heads, 1, 1]
        }
        let files = try [
            write(transformer, "transformer", in: folder),
            write(
                [
                    "encoder.conv_in.weight": [8, 3, 3, 3], "encoder.down.0.block.0.conv1.weight": [8, 8, 3, 3],
                    "decoder.up.0.block.0.conv1.weight": [8, 8, 3, 3],
                    "encoder.conv_out.weight": [32, 8, 3, 3],
                ], "infinity_vae_d32reg", in: folder),
            write(
                [
                    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": [32, 2],
                    "shared.weight": [4, 2048],
                ], "t5", in: folder),
        ]
        for name in ["config.json", "tokenizer.json"] { try folder.write("{}", name) }
        let release = try ReleaseScan(files).recognized()
        #expect(release.title == "Infinity " + title)
        let settings = release.configuration["transformer"]
        let told = ["depth", "width", "heads", "blockChunks"].map { settings?[$0]?.integer }
        #expect(told == [depth, width, heads, groups])
    }

    /// A file of tensors of these shapes, all zeros.
    private func write(_ shapes: [String: [Int]], _ name: String, in folder: TestFolder) throws -> String {
        var (header, end): ([String: JSONValue], Int) = ([:], 0)
        for (name, shape) in shapes {
            let bytes = 4 * shape.reduce(1, *)
            header[name] = [
                "dtype": "F32", "shape": .array(shape.map(JSONValue.integer)),
                "data_offsets": [.integer(end), .integer(end + bytes)],
            ]
            end += bytes
        }
        let file = HandmadeSafetensors(JSONValue.object(header).text, [UInt8](repeating: 0, count: end))
        return try folder.write(file.bytes, name + ".safetensors")
    }
}
