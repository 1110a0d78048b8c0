import Autograd
import ComputeTesting
import Tensors
import Testing

/// What is no number stays visible: a training that has left the numbers must not go on with made-up ones.
@Suite(.computing) struct NotANumberTests {
    /// NaN in one query of 33: in its row of the output, and in no other's.
    @Test(arguments: [MatrixPrecision.single, .bfloat16])
    func attentionKeepsIt(precision: MatrixPrecision) {
        let x = Tensor.example([1, 33, 96])
        x.pointer[20 * 96] = .nan
        let y = MatrixPrecision.$current.withValue(precision) {
            Attention(heads: 1, layout: .packed, logitScale: 1).apply([Variable(x)]).value
        }
        for row in 0..<33 {
            let numbers = y.values[row * 32..<(row + 1) * 32]
            #expect(row == 20 ? numbers.allSatisfy(\.isNaN) : numbers.allSatisfy(\.isFinite), "row \(row)")
        }
    }

    @Test func rectifiedItStays() {
        let y = ReLU().apply([Variable(Tensor([-1, .nan, 2, -.infinity], shape: [4]))]).value.values
        #expect(y[0] == 0 && y[1].isNaN && y[2] == 2 && y[3] == 0)
    }

    /// Wherever in the square it is.
    @Test(arguments: 0..<4)
    func itIsTheLargestOfASquare(place: Int) {
        var numbers: [Float] = [1, 4, 2, 3]
        numbers[place] = .nan
        let y = MaxPool(window: 2, stride: 2).apply([Variable(Tensor(numbers, shape: [1, 1, 2, 2]))]).value
        #expect(y.values.count == 1 && y.values[0].isNaN)
    }
}
