import Foundation

extension Encodable {
    /// Writes a model's configuration as `config.json` has it: indented, its names in order, so that equal ones give
    /// equal bytes.
    /// - Throws: what the encoder or the file system says.
    package func writeConfiguration(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: path))
    }
}
