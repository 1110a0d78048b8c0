import ComputeTesting
import Tensors
import Testing

@Suite(.computing) struct MatrixProductTests {
    private static let sizes = [(1, 1, 1), (7, 5, 3), (64, 33, 130), (310, 256, 77), (35, 90, 600)]

    private func product(
        _ a: Tensor, _ b: Tensor, transposed: (Bool, Bool), m: Int, n: Int, k: Int, beta: Float
    ) -> [Float] {
        let c = Tensor(repeating: 2, shape: [m, n])
        multiply(
            Matrix(a.pointer, stride: transposed.0 ? m : k, transposed: transposed.0),
            Matrix(b.pointer, stride: transposed.1 ? k : n, transposed: transposed.1),
            into: Matrix(c.pointer, stride: n), m: m, n: n, k: k,
            beta: beta)
        return c.values
    }

    /// Sums in double, straight from the definition.
    private func expected(
        _ a: [Float], _ b: [Float], transposed: (Bool, Bool), m: Int, n: Int, k: Int, beta: Float
    ) -> [Float] {
        (0..<m * n).map { index in
            let (i, j) = (index / n, index % n)
            return Float(
                (0..<k).reduce(Double(2 * beta)) {
                    $0 + Double(a[transposed.0 ? $1 * m + i : i * k + $1])
                        * Double(b[transposed.1 ? j * k + $1 : $1 * n + j])
                })
        }
    }

    @Test(arguments: [MatrixPrecision.single, .bfloat16], [false, true])
    func everyLayoutMatchesTheDefinition(precision: MatrixPrecision, accumulates: Bool) {
        MatrixPrecision.$current.withValue(precision) {
            for (m, n, k) in Self.sizes {
                let a = numbers(m * k, seed: 1)
                let b = numbers(n * k, seed: 2)
                for transposed in [(false, false), (false, true), (true, false), (true, true)] {
                    let got = product(
                        Tensor(a, shape: [a.count]), Tensor(b, shape: [b.count]), transposed: transposed, m: m, n: n,
                        k: k,
                        beta: accumulates ? 1 : 0)
                    let wanted = expected(a, b, transposed: transposed, m: m, n: n, k: k, beta: accumulates ? 1 : 0)
                    let scale = Float(k).squareRoot() + 2
                    let worst = largestDifference(got, wanted) / scale
                    #expect(worst < (precision == .single ? 1e-5 : 1e-2), "\(m)×\(n)×\(k), transposed \(transposed)")
                }
            }
        }
    }

    /// Of few rows the weights are read as they lie: up to four at a time, and the last columns one by one.
    @Test(arguments: [(32, 64), (101, 90), (768, 256)])
    func fewRowsAreTheSameAloneAndTogether(shape: (n: Int, k: Int)) {
        let (m, n, k) = (min(11, mostUnpackedRows), shape.n, shape.k)
        let (a, b) = (numbers(m * k, seed: 3), numbers(n * k, seed: 4))
        let (x, w) = (Tensor(a, shape: [m, k]), Tensor(b, shape: [n, k]))
        let bias = Tensor(numbers(n, seed: 5), shape: [n])
        let (together, alone) = (Tensor(zeros: [m, n]), Tensor(zeros: [m, n]))
        func project(_ rows: Range<Int>, into y: Tensor) {
            multiply(
                Matrix(x.pointer + rows.lowerBound * k, stride: k), Matrix(w.pointer, stride: k, transposed: true),
                into: Matrix(y.pointer + rows.lowerBound * n, stride: n), m: rows.count, n: n, k: k,
                bias: bias.pointer)
        }
        project(0..<m, into: together)
        for row in 0..<m { project(row..<row + 1, into: alone) }
        #expect(together.values == alone.values)
        let wanted = expected(a, b, transposed: (false, true), m: m, n: n, k: k, beta: 0)
        let biased = wanted.indices.map { wanted[$0] + bias.values[$0 % n] }
        let worst = largestDifference(together.values, biased)
        #expect(worst < 1e-5 * (Float(k).squareRoot() + 2))
    }

    /// OpenBLAS adds up products of a million multiplications and fewer in another order: a large one would depend on
    /// the number of threads where their parts of it are small. Its kernels for other processors go by columns, too.
    @Test(
        .enabled(if: mostUnpackedRows > 4, "without AVX-512"),
        arguments: [(682, 8, 256), (66, 41, 546), (434, 12, 455), (169, 13, 152), (116, 132, 93), (50, 100, 250)])
    func whatThreadsShareIsTheSameAsTheWhole(shape: (m: Int, n: Int, k: Int)) {
        let (m, n, k) = shape
        let a = Tensor(numbers(m * k, seed: 6), shape: [m * k])
        let b = Tensor(numbers(n * k, seed: 7), shape: [n * k])
        for transposed in [(false, false), (false, true), (true, false), (true, true)] {
            let whole = Tensor(zeros: [m, n])
            multiplySerially(
                Matrix(a.pointer, stride: transposed.0 ? m : k, transposed: transposed.0),
                Matrix(b.pointer, stride: transposed.1 ? k : n, transposed: transposed.1),
                into: Matrix(whole.pointer, stride: n), m: m, n: n, k: k)
            let shared = product(a, b, transposed: transposed, m: m, n: n, k: k, beta: 0)
            #expect(shared == whole.values, "transposed \(transposed)")
        }
    }

    /// Half of it is computed and the other half copied, with the bits of the whole.
    @Test(arguments: [MatrixPrecision.single, .bfloat16], [(40, 100), (300, 77), (256, 600)])
    func symmetricProductsAreThoseOfAllNumbers(precision: MatrixPrecision, shape: (m: Int, k: Int)) {
        let (m, k) = shape
        let x = Tensor(numbers(m * k, seed: 8), shape: [m * k])
        MatrixPrecision.$current.withValue(precision) {
            for isTall in [false, true] {
                let got = Tensor(repeating: .nan, shape: [m, m])
                let stride = isTall ? m : k
                multiplySymmetric(
                    Matrix(x.pointer, stride: stride, transposed: isTall),
                    Matrix(x.pointer, stride: stride, transposed: !isTall),
                    into: Matrix(got.pointer, stride: m), m: m, k: k)
                let wanted = product(x, x, transposed: (isTall, !isTall), m: m, n: m, k: k, beta: 0)
                #expect(got.values == wanted, "tall: \(isTall)")
            }
        }
    }

    @Test func parallelCoversEveryIndexOnce() {
        for count in [0, 1, 7, 1000] {
            let seen = Tensor(zeros: [max(count, 1)])
            parallel(count, grain: 3) { for i in $0 { seen.pointer[i] += 1 } }
            #expect(seen.values.prefix(count).allSatisfy { $0 == 1 })
        }
    }

    private func numbers(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed &* 2_654_435_761 | 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(state >> 8) * 0x1p-23 - 1
        }
    }
}
