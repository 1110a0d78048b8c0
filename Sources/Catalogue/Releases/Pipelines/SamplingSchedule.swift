import Foundation
import Jobs

/// The sampling schedule of a model that diffusers' `scheduler_config.json` is of, as it is drawn by.
package struct SamplingSchedule: Sendable, CustomStringConvertible {
    /// For people: `EulerDiscreteScheduler, leading spacing, predicts epsilon`,
    /// `FlowMatchEulerDiscreteScheduler, shift 3`.
    package let description: String

    /// Reads a model's folder; nil where it is no pipeline's, or has no schedule.
    package init?(in folder: String) {
        guard let name = Self.json("\(folder)/\(ModelLayout.configuration)")?["pipeline"]?.string,
            let kind = PipelineKind(rawValue: name),
            let settings = Self.json("\(folder)/scheduler/scheduler_config.json")
        else { return nil }
        let own = PipelineSettings.ownSolver(of: kind)
        let solver = settings["_class_name"]?.string ?? own
        let words = kind == .sdxl ? Self.ofNoise(settings) : Self.ofFlow(settings)
        description = ([solver] + words + (solver == own ? [] : ["drawn by Euler's steps"])).joined(separator: ", ")
    }

    private static func json(_ path: String) -> JSONValue? {
        FileManager.default.contents(atPath: path).flatMap { try? JSONValue(json: $0) }
    }

    /// With what `NoiseSchedule` takes where nothing is said.
    private static func ofNoise(_ settings: JSONValue) -> [String] {
        let leading = ["DDIMScheduler", "DDPMScheduler", "PNDMScheduler"]
        let usual = settings["_class_name"]?.string.map { leading.contains($0) ? "leading" : "linspace" } ?? "leading"
        let isKarras = settings["use_karras_sigmas"] == .bool(true)
        let endsInNoise = settings["rescale_betas_zero_snr"] == .bool(true)
        return [
            "\(settings["timestep_spacing"]?.string ?? usual) spacing",
            "predicts \(settings["prediction_type"]?.string ?? "epsilon")",
        ] + (isKarras ? ["Karras' sigmas"] : []) + (endsInNoise ? ["ends in noise"] : [])
    }

    /// With what `PipelineSchedule` takes where nothing is said.
    private static func ofFlow(_ settings: JSONValue) -> [String] {
        func number(_ name: String, _ usual: String) -> String {
            settings[name].flatMap { $0.double == nil ? nil : $0.text } ?? usual
        }
        guard settings["use_dynamic_shifting"] == .bool(true) else { return ["shift \(number("shift", "1"))"] }
        let tokens = "\(number("base_image_seq_len", "256")) to \(number("max_image_seq_len", "4096")) tokens"
        return ["shift grows from \(number("base_shift", "0.5")) to \(number("max_shift", "1.15")) over \(tokens)"]
    }
}
