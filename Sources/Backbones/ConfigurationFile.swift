import Foundation

/// A model's `config.json`.
package enum ConfigurationFile {
    /// What is wrong with one, and where.
    struct Malformed: Error, CustomStringConvertible {
        let path, problem: String

        var description: String { "\(path): \(problem)" }
    }

    /// - Throws: `Malformed` naming the file and the key, also of sizes that do not fit each other.
    package static func read<Configuration: Decodable>(
        _ type: Configuration.Type, _ path: String
    ) throws -> Configuration {
        do {
            let found = try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: path)))
            let unfit = (found as? any CheckedSizes)?.unfit ?? []
            guard unfit.isEmpty else { throw Malformed(path: path, problem: unfit.joined(separator: "; ")) }
            return found
        } catch let error as DecodingError {
            let (context, key): (DecodingError.Context, String?) =
                switch error {
                case .keyNotFound(let key, let context): (context, key.stringValue)
                case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                    (context, nil)
                @unknown default: (.init(codingPath: [], debugDescription: "\(error)"), nil)
                }
            let place = "/" + (context.codingPath.map(\.stringValue) + (key.map { [$0] } ?? [])).joined(separator: "/")
            throw Malformed(path: path, problem: "\(place): \(key == nil ? context.debugDescription : "is missing")")
        }
    }
}

extension KeyedDecodingContainer {
    /// What a key has; what is usual where it is left out.
    /// - Throws: `DecodingError` for a value of another type.
    func value<Value: Decodable>(_ key: Key, _ usual: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? usual
    }
}
