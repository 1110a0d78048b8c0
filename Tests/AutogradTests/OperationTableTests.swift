import Autograd
import ComputeTesting
import Foundation
import Testing

/// What is not in the table escapes the gradient check.
@Suite(.computing) struct OperationTableTests {
    @Test func everyOperationThereIsStandsInTheTable() throws {
        let folder = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Sources/Autograd").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).filter {
            $0.pathExtension == "swift"
        }
        let declared = try files.flatMap {
            try String(contentsOf: $0, encoding: .utf8).matches(of: /struct (\w+): (?:\w+, )*Operation\b/).map {
                String($0.1)
            }
        }
        #expect(declared.count > 30 && Set(declared) == Set(OperationTable.all.map { String(describing: $0) }))
    }
}
