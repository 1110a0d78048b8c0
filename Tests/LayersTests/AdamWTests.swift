import Checkpoints
import ComputeTesting
import FileTesting
import Foundation
import Layers
import Tensors
import Testing

/// A parameter with a gradient that has arrived.
private func parameter(_ name: String, _ values: [Float], gradient: [Float]?) -> Parameter {
    let parameter = Parameter(name: name, value: Tensor(values, shape: [values.count]))
    parameter.isTrainable = true
    arrive(gradient, at: parameter)
    return parameter
}

private func arrive(_ gradient: [Float]?, at parameter: Parameter) {
    parameter.node!.gradient = gradient.map { Tensor($0, shape: [$0.count]) }
}

/// One parameter's number through the published formula, in double precision.
private struct Reference {
    var p: Double, m = 0.0, v = 0.0, t = 0.0

    mutating func step(
        _ g: Double, lr: Double, wd: Double, b1: Double = 0.9, b2: Double = 0.999, epsilon: Double = 1e-8
    ) {
        t += 1
        p *= 1 - lr * wd
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        p -= lr * (m / (1 - pow(b1, t))) / ((v / (1 - pow(b2, t))).squareRoot() + epsilon)
    }
}

@Suite(.computing) struct AdamWTests {
    @Test func theFirstStepIsTheLearningRateWide() {
        // After one step the corrected moments are g and g²: p = p · (1 − lr · wd) − lr · g / (|g| + ε).
        let weight = parameter("w", [1, -2, 0.5, 3], gradient: [0.25, -8, 1e-3, 0])
        let optimizer = AdamW([weight], AdamW.Options(learningRate: 0.1, weightDecay: 0.5))
        let norm = optimizer.update()
        for (value, expected) in zip(
            weight.value.values, [0.95 - 0.1, -1.9 + 0.1, 0.475 - 0.1 * 1e-3 / (1e-3 + 1e-8), 2.85])
        { #expect(abs(Double(value) - expected) < 1e-6) }
        #expect(abs(Double(norm) - (0.0625 + 64 + 1e-6).squareRoot()) < 1e-5)
        #expect(optimizer.step == 1 && weight.gradient == nil, "a gradient is used once")
        // 1 − 0.999 in single precision is 1.3e-5 of itself away.
        for (value, expected) in zip(optimizer.numbers(of: 0).first.values, [0.025, -0.8, 1e-4, 0] as [Float]) {
            #expect(abs(value - expected) <= 1e-4 * abs(expected))
        }
        for (value, expected) in zip(optimizer.numbers(of: 0).second.values, [6.25e-5, 0.064, 1e-9, 0] as [Float]) {
            #expect(abs(value - expected) <= 1e-4 * expected)
        }
    }

    @Test func twentyStepsFollowTheFormula() {
        let starts: [Float] = [1, -0.3, 20, 1e-3]
        let weight = parameter("w", starts, gradient: nil)
        let optimizer = AdamW([weight], AdamW.Options(learningRate: 0.02, weightDecay: 0.1))
        var references = starts.map { Reference(p: Double($0)) }
        for step in 0..<20 {
            let gradient = (0..<4).map { Float(sin(Double(step * 4 + $0))) * [1, 1e-4, 300, 1][$0] }
            arrive(gradient, at: weight)
            optimizer.update()
            for i in 0..<4 { references[i].step(Double(gradient[i]), lr: Double(Float(0.02)), wd: Double(Float(0.1))) }
        }
        for (value, reference) in zip(weight.value.values, references) {
            #expect(abs(Double(value) - reference.p) < 2e-5 * max(1, abs(reference.p)))
        }
    }

    @Test func gradientsAreScaledDownTogetherToTheLargestNorm() {
        func moments(_ largest: Float?) -> [Float] {
            let a = parameter("a", [0], gradient: [3])
            let b = parameter("b", [0], gradient: [4])
            let optimizer = AdamW([a, b], AdamW.Options(learningRate: 0.1, largestNorm: largest))
            #expect(optimizer.update() == 5)
            return (0..<2).map { optimizer.numbers(of: $0).first.values[0] * 10 }
        }
        #expect(zip(moments(nil), [3, 4]).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(moments(6), [3, 4]).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(moments(1), [0.6, 0.8]).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    @Test(arguments: AdamW.Precision.allCases)
    func partsUpdatedAheadComeToTheSameBits(precision: AdamW.Precision) {
        func run(ahead: Bool) -> (values: [[Float]], norms: [Float]) {
            let parameters = ["a", "b", "c"].map { parameter($0, [Float](repeating: 1, count: 5000), gradient: nil) }
            let optimizer = AdamW(parameters, AdamW.Options(learningRate: 0.1), moments: precision)
            let norms = (0..<3).map { step in
                for (index, parameter) in parameters.enumerated() {
                    arrive((0..<5000).map { Float(sin(Double($0 * (index + 1) + step))) }, at: parameter)
                    if ahead, index < 2 { optimizer.update { $0.name == parameter.name } }
                }
                return optimizer.update()
            }
            #expect(optimizer.step == 3)
            return (parameters.map(\.value.values), norms)
        }
        let (together, parts) = (run(ahead: false), run(ahead: true))
        #expect(together.values == parts.values)
        #expect(zip(together.norms, parts.norms).allSatisfy { abs($0 - $1) <= 1e-5 * $0 })
    }

    @Test func whatGetsNoGradientStaysAsItIs() {
        let idle = parameter("idle", [1, 2], gradient: nil)
        let busy = parameter("busy", [1], gradient: [1])
        AdamW([idle, busy], AdamW.Options(learningRate: 0.1, weightDecay: 0.5)).update()
        #expect(idle.value.values == [1, 2])
        #expect(busy.value.values[0] < 0.9)
    }
}

@Suite(.computing) struct OptimizerStateTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// An optimizer over two parameters, `steps` steps old.
    private func optimizer(steps: Int, names: [String] = ["a.weight", "b"]) -> AdamW {
        let parameters = names.enumerated().map { index, name in
            parameter(name, (0...index).map { Float($0) - 0.5 }, gradient: nil)
        }
        let optimizer = AdamW(parameters, AdamW.Options(learningRate: 0.1))
        for step in 0..<steps { advance(optimizer, step) }
        return optimizer
    }

    private func advance(_ optimizer: AdamW, _ step: Int) {
        for parameter in optimizer.parameters {
            arrive((0..<parameter.value.count).map { Float(cos(Double(step + $0))) }, at: parameter)
        }
        optimizer.update()
    }

    private func values(_ optimizer: AdamW) -> [[Float]] { optimizer.parameters.map(\.value.values) }

    @Test func whoGoesOnFromAFileComesToTheSameBits() throws {
        let undisturbed = optimizer(steps: 5)
        try OptimizerState(undisturbed).write(folder.path + "/checkpoint", metadata: ["kind": "test"])
        let resumed = optimizer(steps: 1)
        let state = try OptimizerState(path: folder.path + "/checkpoint")
        #expect(try state.step == 5 && state.tensors.count == 6)
        #expect(try Safetensors(path: folder.path + "/checkpoint").metadata == ["kind": "test", "step": "5"])
        try state.restore(resumed)
        #expect(resumed.step == 5 && values(resumed) == values(undisturbed))
        for step in 5..<9 {
            advance(undisturbed, step)
            advance(resumed, step)
        }
        #expect(values(resumed) == values(undisturbed))
    }

    @Test func aStateOfOtherParametersIsRefusedAndChangesNothing() throws {
        let target = optimizer(steps: 2)
        let before = values(target)
        let missing = try #require(throws: WeightsError.self) {
            try OptimizerState(optimizer(steps: 3, names: ["a.weight", "c"])).restore(target)
        }
        #expect(missing.problems.map { $0.split(separator: " ").first } == ["value.b", "first.b", "second.b"])
        let reshaped = try #require(throws: WeightsError.self) {
            try OptimizerState(optimizer(steps: 3, names: ["x", "a.weight", "b"])).restore(target)
        }
        #expect(reshaped.problems.count == 6 && reshaped.problems[0].contains("another shape than [1]"))
        #expect(values(target) == before && target.step == 2)
    }

    @Test(arguments: [[:], ["step": "-1"], ["step": "soon"]])
    func aFileWithoutAStepIsNoCheckpoint(metadata: [String: String]) throws {
        try Safetensors.write(["value.a": Tensor([1], shape: [1])], to: folder.path + "/weights", metadata: metadata)
        let error = try #require(throws: CheckpointError.self) { try OptimizerState(path: folder.path + "/weights") }
        #expect(error.problem.contains("no step"))
    }
}
