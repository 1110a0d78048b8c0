import Jobs
import Personalization

/// Reads ARBooth's options from a job's `options`, collecting every problem.
struct ARBoothOptionsReader {
    private let given: [String: JSONValue]
    private var problems: [Problem] = []
    private var known: Set<String> = []

    init(_ value: JSONValue?) {
        if case .object(let members) = value { given = members } else { given = [:] }
    }

    /// The method's defaults with what was given.
    /// - Throws: `JobFailure` listing every unknown option and every value out of range.
    mutating func read() throws -> ARBoothOptions {
        var options = ARBoothOptions.pocket
        integer("iterations", 1...20_000) { options.iterations = $0 }
        integer("batch", 1...16) { options.batch = $0 }
        number("learning_rate", 1e-7...1) { options.learningRate = $0 }
        number("beta1", 0...0.9999) { options.beta1 = $0 }
        number("beta2", 0...0.99999) { options.beta2 = $0 }
        number("weight_decay", 0...1) { options.weightDecay = $0 }
        choice("tuning", ARBoothOptions.Tuning.allCases.map(\.rawValue)) { options.tuning = ARBoothOptions.Tuning(rawValue: $0)! }
        flag("scale_weighting") { options.scaleWeighting = $0 }
        integer("early_scales", 0...64) { options.earlyScales = $0 }
        number("late_scale_weight", 0...10) { options.lateScaleWeight = $0 }
        flag("distillation") { options.distillation = $0 }
        number("distillation_weight", 0...100) { options.distillationWeight = $0 }
        integer("distillation_maps", 1...4096) { options.distillationMaps = $0 }
        flag("learns_placeholder") { options.learnsPlaceholder = $0 }
        number("largest_zoom", 1...4) { options.largestZoom = $0 }
        number("largest_flip_share", 0...0.5) { options.largestFlipShare = $0 }
        for name in given.keys.sorted() where !known.contains(name) {
            problems.append(Problem("/options/\(name)", found: "an unknown option", allowed: known.sorted().joined(separator: ", ")))
        }
        if !problems.isEmpty {
            throw JobFailure(code: "input.options", consequence: .rejected, message: "\(problems.count) options cannot be used", problems: problems)
        }
        return options
    }

    func options() throws -> ARBoothOptions {
        var reader = self
        return try reader.read()
    }

    private mutating func note(_ name: String, _ value: JSONValue, _ allowed: String) {
        problems.append(Problem("/options/\(name)", found: value.text, allowed: allowed))
    }

    private mutating func integer(_ name: String, _ range: ClosedRange<Int>, _ assign: (Int) -> Void) {
        known.insert(name)
        guard let value = given[name] else { return }
        if let number = value.integer, range.contains(number) { assign(number) } else { note(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)") }
    }

    private mutating func number(_ name: String, _ range: ClosedRange<Double>, _ assign: (Float) -> Void) {
        known.insert(name)
        guard let value = given[name] else { return }
        if let number = value.double, range.contains(number) { assign(Float(number)) } else { note(name, value, "a number from \(range.lowerBound) to \(range.upperBound)") }
    }

    private mutating func flag(_ name: String, _ assign: (Bool) -> Void) {
        known.insert(name)
        guard let value = given[name] else { return }
        if case .bool(let isOn) = value { assign(isOn) } else { note(name, value, "true or false") }
    }

    private mutating func choice(_ name: String, _ allowed: [String], _ assign: (String) -> Void) {
        known.insert(name)
        guard let value = given[name] else { return }
        if let text = value.string, allowed.contains(text) { assign(text) } else { note(name, value, allowed.joined(separator: ", ")) }
    }
}

extension ARBoothOptions {
    /// The paper's values but the learning rate, which the paper chose for a model 250 times as large.
    package static var pocket: ARBoothOptions {
        var options = ARBoothOptions()
        options.learningRate = 1e-3
        return options
    }
}
