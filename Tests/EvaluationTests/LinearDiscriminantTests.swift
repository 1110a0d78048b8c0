import ComputeTesting
import Evaluation
import Tensors
import Testing

@Suite(.computing) struct LinearDiscriminantTests {
    /// Two classes apart by two along the first axis, both spread far along the diagonal; the third number never
    /// changes.
    private var rows: [(values: [Float], label: Int)] {
        var rows: [(values: [Float], label: Int)] = []
        for along in stride(from: Float(-3), through: 3, by: 1) {
            for across: Float in [0.1, -0.1] {
                for label in 0...1 { rows.append(([Float(2 * label) + along + across, along - across, 5], label)) }
            }
        }
        return rows
    }

    private func features(_ rows: [[Float]]) -> Tensor { Tensor(rows.flatMap { $0 }, shape: [rows.count, 3]) }

    /// By the nearest mean alone every third would be wrong.
    @Test func theSpreadOfAllClassesIsNoDifference() {
        let discriminant = LinearDiscriminant(features(rows.map(\.values)), labels: rows.map(\.label))
        #expect(discriminant.classes(features(rows.map(\.values))) == rows.map(\.label))
        #expect(discriminant.classes(features([[2.5, 2.5, 5], [-0.5, -2.5, 5]])) == [0, 1])
    }
}
