import Foundation

/// Strings and the ids a reference tokenizer gives them.
struct TokenizerCases: Decodable {
    let strings: [String]
    let ids: [[Int]]
    /// The same with marks, truncated and filled to 77; CLIP's cases have it.
    let padded77: [[Int]]?

    init(path: String) throws {
        self = try JSONDecoder().decode(TokenizerCases.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
