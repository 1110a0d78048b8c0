/// A pipeline's `scheduler_config.json`.
struct PipelineSchedule: Decodable {
    /// Of models that predict noise.
    let noise: NoiseSchedule.Configuration
    /// How a picture's size moves flow matching's steps, where it does.
    let tokenShift: FlowEuler.TokenShift?
    /// How far they are moved anyway.
    let shift: Double

    private enum CodingKeys: String, CodingKey {
        case shift
        case isDynamic = "use_dynamic_shifting"
    }

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        noise = try NoiseSchedule.Configuration(from: decoder)
        shift = try keys.value(.shift, 1)
        let isDynamic = try keys.value(.isDynamic, false)
        tokenShift = isDynamic ? try FlowEuler.TokenShift(from: decoder) : nil
    }
}
