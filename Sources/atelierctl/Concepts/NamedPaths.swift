import ArgumentParser
import Foundation

/// What an option takes that gives something on the disk for each of several names.
struct NamedPaths {
    let option: String
    /// What is allowed, for whoever wrote something else.
    let form: String
    /// What a path is of.
    let what: String
    let isName: (String) -> Bool

    /// The absolute paths in `NAME=PATH`, by the names.
    /// - Throws: `ValidationError` of all that is no name and a path, and of every name that was given before.
    func paths(in pairs: [String]) throws -> [String: String] {
        var (paths, problems): ([String: String], [String]) = ([:], [])
        for pair in pairs {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count != 2 || !isName(parts[0]) {
                problems.append("\(option) \(pair): allowed is \(form)")
            } else if paths.updateValue(URL(fileURLWithPath: parts[1]).path, forKey: parts[0]) != nil {
                problems.append("\(option) \(pair): another \(what) was given for \(parts[0]) before")
            }
        }
        guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "\n")) }
        return paths
    }
}
