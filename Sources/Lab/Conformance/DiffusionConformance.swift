import Autograd
import Backbones
import Catalogue
import Layers
import Tensors

extension Conformance {
    /// The report of a case on LlamaGen or on a diffusion model; nil where it is neither.
    static func generatorReport(_ fixture: ConformanceCase) throws -> ConformanceReport? {
        let keys = fixture.configuration
        if keys["cls_token_num"] != nil { return try LlamaGenConformance(fixture).report() }
        if keys["codebook_embed_dim"] != nil { return try LlamaGenTokenizerConformance(fixture).report() }
        if keys["latent_channels"] != nil { return try AutoencoderKLConformance(fixture).report() }
        if ["flow_sd3", "flow_flux", "euler_sdxl", "ddim"].contains(where: { keys[$0] != nil }) {
            return try SamplerConformance(fixture).report()
        }
        if keys["pos_embed_max_size"] != nil || keys["caption_projection_dim"] != nil {
            return try mmditReport(fixture)
        }
        if keys["num_single_layers"] != nil || keys["axes_dims_rope"] != nil { return try fluxReport(fixture) }
        if keys["down_block_types"] != nil { return try unetReport(fixture) }
        return nil
    }

    private static let tolerance = 1e-4

    private static func mmditReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = MMDiT(try fixture.decodedConfiguration(as: MMDiT.Configuration.self), weights)
        try weights.verify()
        var report = ConformanceReport()
        let latents = try fixture.variable("hidden_states")
        let output = model(
            latents, text: try fixture.variable("encoder_hidden_states"),
            pooled: try fixture.variable("pooled_projections"), timesteps: try fixture.tensor("timestep").values)
        report.compare("sample", output.value, try fixture.tensor("sample"), tolerance: tolerance)
        let patch = model.configuration.patchSize
        let positions = model.positions(rows: latents.shape[2] / patch, columns: latents.shape[3] / patch)
        report.compare(
            "pos_embed_cropped", positions.value, try fixture.tensor("pos_embed_cropped"), tolerance: tolerance)
        return report
    }

    private static func fluxReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = FluxTransformer(try fixture.decodedConfiguration(as: FluxTransformer.Configuration.self), weights)
        try weights.verify()
        let places = Tensor.joined([try fixture.places("txt_ids"), try fixture.places("img_ids")])
        let output = model(
            try fixture.variable("hidden_states"), text: try fixture.variable("encoder_hidden_states"),
            pooled: try fixture.variable("pooled_projections"), sigmas: try fixture.tensor("timestep").values,
            guidance: try? fixture.tensor("guidance").values,
            places: (0..<places.rows).map { places.slice($0..<$0 + 1).values })
        var report = ConformanceReport()
        report.compare("sample", output.value, try fixture.tensor("sample"), tolerance: tolerance)
        return report
    }

    private static func unetReport(_ fixture: ConformanceCase) throws -> ConformanceReport {
        try fixture.hold(.unet)
        let weights = Weights(.checkpoint(try fixture.weights()))
        let model = UNet(try fixture.decodedConfiguration(as: UNet.Configuration.self), weights)
        try weights.verify()
        let isSized = fixture.has("time_ids")
        let sizes = isSized ? try fixture.tensor("time_ids") : Tensor(zeros: [0, 6])
        let output = model(
            try fixture.variable("sample"), timesteps: try fixture.tensor("timestep").values,
            text: try fixture.variable("encoder_hidden_states"),
            pooled: isSized ? try fixture.variable("text_embeds") : nil,
            sizes: (0..<sizes.rows).map { sizes.slice($0..<$0 + 1).values })
        var report = ConformanceReport()
        report.compare("out", output.value, try fixture.tensor("out"), tolerance: tolerance)
        return report
    }
}

extension ConformanceCase {
    /// A recorded tensor as a constant.
    fileprivate func variable(_ name: String) throws -> Variable { Variable(try tensor(name)) }

    /// Recorded places [N, 3]; of [B, N, 3] the first sample's, as diffusers reads them.
    fileprivate func places(_ name: String) throws -> Tensor {
        let places = try tensor(name)
        return places.shape.count == 3 ? places.slice(0..<1).reshaped(Array(places.shape.dropFirst())) : places
    }
}

/// A KL autoencoder, both ways.
private struct AutoencoderKLConformance {
    private let fixture: ConformanceCase
    private let model: AutoencoderKL
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        try fixture.hold(.autoencoder)
        let weights = Weights(.checkpoint(AutoencoderKL.named(try fixture.weights())))
        model = AutoencoderKL(try fixture.decodedConfiguration(as: AutoencoderKL.Configuration.self), weights)
        try weights.verify()
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let moments = model.encode(try fixture.variable("image"))
        report.compare("mode", moments.mean.value, try fixture.tensor("mode"), tolerance: tolerance)
        report.compare("logvar", moments.logVariance.value, try fixture.tensor("logvar"), tolerance: tolerance)
        let scaled = model.scaled(moments.mean.value)
        report.compare("model_latents", scaled, try fixture.tensor("model_latents"), tolerance: tolerance)
        try compareDecoding("decoded_mode", moments.mean.value, &report)
        try compareDecoding("decoded_latents", try fixture.tensor("latents"), &report)
        let name = "decoded_from_model_latents"
        try compareDecoding(name, model.unscaled(try fixture.tensor("model_latents")), &report)
        return report
    }

    private func compareDecoding(_ name: String, _ latents: Tensor, _ report: inout ConformanceReport) throws {
        report.compare(name, model.decode(Variable(latents)).value, try fixture.tensor(name), tolerance: tolerance)
    }
}
