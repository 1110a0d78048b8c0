import Foundation
import Jobs
import ModelTesting

extension TinyModels {
    /// Rewrites one file of a model's settings; a file of its own takes the place of a link to a release's.
    func change(_ file: String, _ body: (JSONValue) -> JSONValue) throws {
        let place = URL(fileURLWithPath: "\(folder)/\(file)")
        let settings = try body(JSONValue(json: Data(contentsOf: place)))
        try FileManager.default.removeItem(at: place)
        try settings.line.write(to: place)
    }
}
