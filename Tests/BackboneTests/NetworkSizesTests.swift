import ComputeTesting
import Foundation
import ModelTesting
import Testing

@testable import Backbones

/// Settings whose sizes do not fit each other are an error that names them, before anything is built of them.
@Suite(.computing) struct NetworkSizesTests {
    private func fault<Settings: Decodable>(_ type: Settings.Type, _ json: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("sizes-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(json.utf8).write(to: URL(fileURLWithPath: path))
        return try #require(throws: ConfigurationFile.Malformed.self) { try ConfigurationFile.read(type, path) }.problem
    }

    private func fault<Settings: Codable>(in settings: Settings) throws -> String {
        try fault(Settings.self, String(decoding: JSONEncoder().encode(settings), as: UTF8.self))
    }

    @Test func headsDivideTheWidth() throws {
        #expect(
            try fault(DINOModel.Configuration.self, #"{"hidden_size":36,"num_attention_heads":5}"#)
                == "/num_attention_heads: 5 does not divide hidden_size, 36")
        #expect(
            try fault(
                CLIPModel.Configuration.self, #"{"text_config":{"num_attention_heads":7},"vision_config":{}}"#)
                == "/text_config/num_attention_heads: 7 does not divide hidden_size, 512")
    }

    @Test func sizesAreNumbersThatANetworkCanHave() throws {
        #expect(
            try fault(DINOModel.Configuration.self, #"{"hidden_size":-1,"num_attention_heads":1}"#)
                == "/hidden_size: -1; allowed are 1 to 1048576")
        #expect(
            try fault(MMDiT.Configuration.self, #"{"patch_size":0}"#) == "/patch_size: 0; allowed are 1 to 1048576")
        let buckets = """
            {"vocab_size":8,"d_model":8,"d_kv":4,"d_ff":8,"num_layers":1,"num_heads":2,"feed_forward_proj":"gated-gelu",
            "relative_attention_num_buckets":2}
            """
        #expect(try fault(T5Encoder.Configuration.self, buckets).hasPrefix("/relative_attention_num_buckets: 2 to"))
    }

    /// A text of CLIP's has two marks; the codes of LlamaGen's pictures have a place each.
    @Test func placesAreAsManyAsAreNeeded() throws {
        #expect(
            try fault(
                CLIPModel.Configuration.self, #"{"text_config":{"max_position_embeddings":2},"vision_config":{}}"#)
                == "/text_config/max_position_embeddings: 2; at least 3 are needed, for a word between its marks")
        var settings = try tinyLlamaGen().configuration
        settings.pictureSize = 64
        #expect(
            try fault(in: settings)
                == "/transformer/block_size: 4 codes on a side; pictures of 64 pixels have 16")
    }

    @Test func everyPartOfABackboneIsHeld() throws {
        var settings = try tinyLlamaGen().configuration
        settings.text.buckets = 2
        #expect(try fault(in: settings).hasPrefix("/text/relative_attention_num_buckets: 2 to"))
        var infinity = try tinyModel().configuration
        infinity.transformer.width = 12
        #expect(
            try fault(in: infinity)
                == "/transformer/heads: 2 of 6 channels; positions need a number that 4 divides")
    }

    /// Of numbers that no schedule has a picture's steps were counted, which stopped the engine.
    @Test(arguments: [
        (#"{"num_train_timesteps":0}"#, "/num_train_timesteps: 0; allowed are 1 to 1048576"),
        (#"{"beta_end":-1}"#, "/beta_end: -1.0; allowed is more than 0 and less than 1"),
        (#"{"shift":0}"#, "/shift: 0.0; allowed are 0.001 to 1000"),
        (
            #"{"use_dynamic_shifting":true,"base_image_seq_len":4096}"#,
            "/base_image_seq_len: 4096 is not less than max_image_seq_len, 4096"
        ),
        (#"{"use_dynamic_shifting":true,"max_shift":1e39}"#, "/max_shift: 1e+39; allowed are -10 to 10"),
    ])
    func aScheduleHasNumbersThatStepsCanBeCountedBy(json: String, said: String) throws {
        #expect(try fault(PipelineSchedule.self, json).contains(said))
    }

    @Test func idsAreRowsOfTheTable() throws {
        var settings = try tinyChameleon().configuration
        let rows = settings.transformer.vocabularySize
        settings.vocabulary.beginImage = Int32(rows)
        #expect(
            try fault(in: settings)
                == "/vocabulary/beginImage: \(rows) is no id of the transformer's, which has \(rows)")
        settings = try tinyChameleon().configuration
        settings.transformer.rotaryFactor = 0
        #expect(try fault(in: settings) == "/transformer/rotaryFactor: 0.0; it must be more than 0")
        #expect(
            try fault(CLIPModel.Text.self, #"{"eos_token_id":1000000000000}"#)
                == "/eos_token_id: 1000000000000 is no id of a token")
    }

    @Test func levelsAndGroupsFitTheChannels() throws {
        #expect(
            try fault(
                UNet.Configuration.self, #"{"block_out_channels":[8,16,16],"attention_head_dim":2}"#)
                == "/norm_num_groups: 32 does not divide block_out_channels, 8")
        #expect(
            try fault(UNet.Configuration.self, #"{"block_out_channels":[32,64]}"#)
                == "/down_block_types: 3 levels, where block_out_channels has 2; "
                + "/up_block_types: 3 levels, where block_out_channels has 2")
        let uneven = """
            {"block_out_channels":[32,64],"attention_head_dim":2,"transformer_layers_per_block":[1,[2,1]],
            "down_block_types":["DownBlock2D","CrossAttnDownBlock2D"],
            "up_block_types":["CrossAttnUpBlock2D","UpBlock2D"]}
            """
        #expect(
            try fault(UNet.Configuration.self, uneven)
                == "/reverse_transformer_layers_per_block: [2, 1] for the blocks of a level, where layers_per_block "
                + "is 2")
        #expect(
            try fault(AutoencoderKL.Configuration.self, #"{"block_out_channels":[]}"#)
                == "/block_out_channels: 0 levels; allowed are 1 to 16")
        #expect(
            try fault(FluxTransformer.Configuration.self, #"{"attention_head_dim":16}"#)
                == "/axes_dims_rope: [16, 56, 56]; three even numbers are needed that make attention_head_dim, 16, "
                + "together")
    }
}
