import Jobs
import Personalization

/// Reads ARBooth's options from a job's `options`; what there is to give, and what holds otherwise, says `OptionTable.arbooth`.
struct ARBoothOptionsReader {
    private let values: [String: JSONValue]

    /// - Throws: `JobFailure` listing every unknown option and every value out of range.
    init(_ given: JSONValue?) throws {
        values = try OptionTable.arbooth.values(of: given)
    }

    /// Reads nothing: what holds by itself.
    fileprivate init() { values = OptionTable.arbooth.standards }

    /// The options in effect.
    func options() -> ARBoothOptions {
        var options = ARBoothOptions()
        integer("iterations") { options.iterations = $0 }
        integer("batch") { options.batch = $0 }
        number("learning_rate") { options.learningRate = $0 }
        number("beta1") { options.beta1 = $0 }
        number("beta2") { options.beta2 = $0 }
        number("weight_decay") { options.weightDecay = $0 }
        if let tuning = values["tuning"]?.string.flatMap(ARBoothOptions.Tuning.init(rawValue:)) { options.tuning = tuning }
        flag("scale_weighting") { options.scaleWeighting = $0 }
        integer("early_scales") { options.earlyScales = $0 }
        number("late_scale_weight") { options.lateScaleWeight = $0 }
        flag("distillation") { options.distillation = $0 }
        number("distillation_weight") { options.distillationWeight = $0 }
        integer("distillation_maps") { options.distillationMaps = $0 }
        flag("learns_placeholder") { options.learnsPlaceholder = $0 }
        number("largest_zoom") { options.largestZoom = $0 }
        number("largest_flip_share") { options.largestFlipShare = $0 }
        return options
    }

    private func integer(_ name: String, _ assign: (Int) -> Void) { if let value = values[name]?.integer { assign(value) } }
    private func number(_ name: String, _ assign: (Float) -> Void) { if let value = values[name]?.double { assign(Float(value)) } }
    private func flag(_ name: String, _ assign: (Bool) -> Void) { if case .bool(let value) = values[name] { assign(value) } }
}

extension ARBoothOptions {
    /// What holds on the pocket models where a job says nothing else.
    package static var pocket: ARBoothOptions { ARBoothOptionsReader().options() }
}

extension OptionTable {
    fileprivate var standards: [String: JSONValue] { Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.standard) }) }

    /// Every option's value: what was given, else what holds without.
    /// - Throws: `JobFailure` listing every unknown option and every value out of range.
    func values(of given: JSONValue?) throws -> [String: JSONValue] {
        let problems = problems(in: given)
        guard problems.isEmpty else {
            throw JobFailure(code: "input.options", consequence: .rejected, message: "\(problems.count) options cannot be used", problems: problems)
        }
        guard case .object(let members) = given else { return standards }
        return standards.merging(members) { $1 }
    }
}
