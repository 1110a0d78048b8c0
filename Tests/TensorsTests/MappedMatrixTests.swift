import ComputeTesting
import Tensors
import Testing

@Suite(.computing) struct MappedMatrixTests {
    /// Keeps words for a matrix.
    private final class Words {
        let memory: UnsafeMutableRawBufferPointer
        init(_ values: [Float], skipping bytes: Int = 0) {
            memory = .allocate(byteCount: values.count * 2 + bytes, alignment: 64)
            for (index, value) in values.enumerated() {
                memory.storeBytes(
                    of: UInt16(value.bitPattern >> 16), toByteOffset: bytes + 2 * index, as: UInt16.self)
            }
        }
        deinit { memory.deallocate() }
    }

    private func matrix(_ values: [Float], rows: Int, columns: Int) -> MappedMatrix {
        let words = Words(values)
        return MappedMatrix(bfloat16: UnsafeRawBufferPointer(words.memory), rows: rows, columns: columns, owner: words)!
    }

    /// Numbers that bfloat16 holds exactly.
    private func numbers(_ count: Int, seed: Int) -> [Float] {
        (0..<count).map { Float(($0 * 37 + seed) % 17 - 8) / 8 }
    }

    @Test func widenedNumbersAreTheSameNumbers() {
        let values: [Float] = [0, -0.0, 1, -1.5, 3.0e38, 1e-38, 0.15625, -256]
        let kept = values.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
        #expect(matrix(values, rows: 2, columns: 4).widened.values.map(\.bitPattern) == kept.map(\.bitPattern))
    }

    /// Keeps bytes for a matrix.
    private final class Bytes {
        let memory: UnsafeMutableRawBufferPointer
        init(_ values: [Int8]) {
            memory = .allocate(byteCount: values.count, alignment: 64)
            values.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
        deinit { memory.deallocate() }
    }

    private func eightBit(rows: Int, columns: Int) -> MappedMatrix {
        let bytes = Bytes((0..<rows * columns).map { Int8(($0 * 37) % 255 - 127) })
        let scales = Tensor((0..<rows).map { 0.01 * Float($0 % 5 + 1) }, shape: [rows])
        return MappedMatrix(
            int8: UnsafeRawBufferPointer(bytes.memory), scales: scales, columns: columns, owner: bytes)
    }

    @Test func numbersInEightBitsAreScaledByRow() {
        let w = eightBit(rows: 2, columns: 3)
        #expect(w.widened.values == [-127, -90, -53].map { $0 * 0.01 } + [-16, 21, 58].map { $0 * 0.02 })
        #expect(w.isFinite)
    }

    /// x [m, I] there and back through weights [O, I], each beside what plain products say with them as floats.
    private func products(_ m: Int, _ w: MappedMatrix) -> [(got: Tensor, wanted: Tensor)] {
        let (n, k) = (w.rows, w.columns)
        // Of all 24 bits, unlike the weights.
        let x = Tensor(numbers(m * k, seed: 2).map { $0 / 7 }, shape: [m, k])
        let bias = Tensor(numbers(n, seed: 3), shape: [n])
        let (y, back) = (Tensor(uninitialized: [m, n]), Tensor(uninitialized: [m, k]))
        project(x.pointer, by: w, into: y.pointer, m: m, bias: bias.pointer)
        unproject(y.pointer, by: w, into: back.pointer, m: m)
        let wide = w.widened
        let (expected, expectedBack) = (Tensor(uninitialized: [m, n]), Tensor(uninitialized: [m, k]))
        multiply(
            Matrix(x.pointer, stride: k), Matrix(wide.pointer, stride: k, transposed: true),
            into: Matrix(expected.pointer, stride: n), m: m, n: n, k: k, bias: bias.pointer)
        multiply(
            Matrix(expected.pointer, stride: n), Matrix(wide.pointer, stride: k),
            into: Matrix(expectedBack.pointer, stride: k), m: m, n: k, k: n)
        return [(y, expected), (back, expectedBack)]
    }

    /// Few rows pass through the kernel that reads weights as they lie, many through blocks that are widened.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 40], [(5, 3), (64, 130), (700, 1100)])
    func projectionsMatchTheDefinition(m: Int, shape: (rows: Int, columns: Int)) {
        let (n, k) = shape
        let halves = matrix(numbers(n * k, seed: 1), rows: n, columns: k)
        for w in [halves, eightBit(rows: n, columns: k)] {
            for (got, wanted) in products(m, w) {
                let most = 2e-6 * max(wanted.maximumMagnitude, 1) * Float(k).squareRoot()
                #expect(zip(got.values, wanted.values).allSatisfy { abs($0 - $1) < most })
            }
        }
    }

    /// Packed as they lie, weights in bfloat16 say to the last bit what they say as floats that are rounded.
    @Test(.enabled(if: MatrixPrecision.$current.withValue(.bfloat16) { MatrixPrecision.isRounding }))
    func roundedProductsTakeTheWeightsAsTheyLie() {
        MatrixPrecision.$current.withValue(.bfloat16) {
            for (m, n, k) in [(12, 33, 17), (40, 64, 130), (260, 700, 1100), (30, 1100, 515)] {
                let w = matrix(numbers(n * k, seed: 1), rows: n, columns: k)
                for (got, wanted) in products(m, w) { #expect(got.values == wanted.values, "\(m) × \(n) × \(k)") }
            }
        }
    }

    @Test func whatIsNotFiniteIsSeen() {
        var values = numbers(6, seed: 0)
        #expect(matrix(values, rows: 2, columns: 3).isFinite)
        values[4] = .infinity
        #expect(!matrix(values, rows: 2, columns: 3).isFinite)
        values[4] = .nan
        #expect(!matrix(values, rows: 2, columns: 3).isFinite)
    }

    @Test func wordsAtAnOddAddressAreNotTaken() {
        let words = Words(numbers(6, seed: 0), skipping: 1)
        let bytes = UnsafeRawBufferPointer(rebasing: words.memory[1...])
        #expect(MappedMatrix(bfloat16: bytes, rows: 2, columns: 3, owner: words) == nil)
    }
}
