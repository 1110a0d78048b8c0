import Autograd
import ComputeTesting
import Layers
import Tensors
import Testing

@Suite(.computing) struct ProdigyTests {
    /// Steps towards the least of ‖x − target‖₁-like bowls of very different sizes, with the same learning rate of 1.
    private func distance(scale: Float, steps: Int) -> (end: Float, size: Float) {
        let parameter = Parameter(name: "x", value: Tensor(zeros: [4]))
        parameter.isTrainable = true
        let target = Variable(Tensor([scale, -scale, 2 * scale, scale / 2], shape: [4]))
        let rule = Prodigy([parameter])
        for _ in 0..<steps {
            SquaredError().apply([parameter.variable, target]).backward()
            rule.update()
        }
        let end = parameter.value.copy()
        end.accumulate(target.value, scale: -1)
        return (end.maximumMagnitude / scale, rule.size)
    }

    @Test(arguments: [Float(0.01), 1, 100]) func theStepSizeIsFoundWhateverTheScale(_ scale: Float) {
        let (end, size) = distance(scale: scale, steps: 400)
        #expect(end < 0.1, "\(end) of the way is left")
        #expect(size > 0.05 * scale && size < 20 * scale, "d is \(size) at a distance of about \(scale)")
    }

    /// The first steps by hand, from the algorithm's text.
    @Test func theFirstStepsAreThoseOfTheAlgorithm() {
        let parameter = Parameter(name: "x", value: Tensor([0], shape: [1]))
        parameter.isTrainable = true
        let rule = Prodigy([parameter], learningRate: 1, beta1: 0.9, beta2: 0.999)
        var (x, m, v, s, numerator, d) = (0.0, 0.0, 0.0, 0.0, 0.0, 1e-6)
        let beta3 = 0.999.squareRoot()
        for _ in 0..<20 {
            // f(x) = (x − 1)², its gradient 2(x − 1).
            let g = 2 * (x - 1)
            let rate = d
            numerator = beta3 * numerator + d / 1e-6 * rate * g * (0 - x)
            m = 0.9 * m + d * 0.1 * g
            v = 0.999 * v + d * d * 0.001 * g * g
            s = beta3 * s + d / 1e-6 * rate * g
            d = max(d, numerator / abs(s))
            x -= rate * m / (v.squareRoot() + d * 1e-8)
            (SquaredError().apply([parameter.variable, Variable(Tensor([1], shape: [1]))])).backward()
            rule.update()
            #expect(abs(Double(parameter.value.pointer[0]) - x) < 1e-3 * x && abs(Double(rule.size) - d) < 1e-3 * d)
        }
    }
}
