import Foundation

/// Prints figures as one line of JSON, names in order: what ops/bench and other scripts read.
func printLine(_ figures: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    print(String(decoding: try encoder.encode(figures), as: UTF8.self))
}
