import Foundation
import Layers

extension OptimizerState {
    /// The same as a checkpoint has it: written to a file, and read from there.
    func written() throws -> OptimizerState {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try write(file)
        return try OptimizerState(path: file)
    }
}
