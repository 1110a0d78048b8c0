import Catalogue
import Foundation
import Jobs

extension ModelFolder {
    var parameters: Int { weights.reduce(0) { $0 + $1.parameters } }
    var bytes: Int { weights.reduce(0) { $0 + $1.bytes } }

    /// What there is to say of it, for scripts.
    func json(problems: [String]) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "parameters": .integer(parameters), "bytes": .integer(bytes),
            "jobs": .bool(description?.family.draws ?? false), "problems": .array(problems.map(JSONValue.string)),
        ]
        members["folder"] = .string(folder)
        members["description"] = description.flatMap { try? JSONValue($0) }
        members["release"] = ReleaseRecord(in: folder).flatMap { try? JSONValue($0) }
        members["weights"] = .array(
            weights.map {
                ["name": .string($0.name), "parameters": .integer($0.parameters), "bytes": .integer($0.bytes)]
            })
        return .object(members)
    }

    /// What there is to say of it, for people.
    var lines: [(String, String)] {
        let files = weights.map { ("weights", "\($0.name), \($0.parameters) parameters, \($0.bytes) bytes") }
        guard let description else { return [("name", name), ("folder", printable(folder))] + files }
        let limits = [
            ("tokens of a prompt", description.limits.promptTokens), ("scales", description.limits.scales),
            ("layers", description.limits.layers), ("codes", description.limits.codes),
        ].compactMap { name, value in value.map { (name, String($0)) } }
        let encoders = description.encoders.map { [("encoders", "\($0.clip), \($0.dino)")] } ?? []
        let sampling = description.sampling.sorted { $0.key < $1.key }.map { ($0.key, $0.value.text) }
        let settings = FileManager.default.contents(atPath: "\(folder)/\(ModelLayout.configuration)").flatMap {
            try? JSONValue(json: $0)
        }
        let scales = settings?["schedule"]?["sides"]?.array?.compactMap { side in
            side["height"]?.integer.flatMap { height in side["width"]?.integer.map { "\(height)×\($0)" } }
        }
        let said = scales?.joined(separator: " ") ?? SamplingSchedule(in: folder)?.description
        let schedule = said.map { [("schedule", printable($0))] } ?? []
        let learning = (description.training ?? [:]).sorted { $0.key < $1.key }.map { method, options in
            let words = options.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
            return ("learning", "\(method): \(words.joined(separator: ", "))")
        }
        let sides =
            description.sides.map { ["sides of \($0.least) to \($0.most), drawn in multiples of \($0.multiple)"] } ?? []
        let smaller = description.family.draws ? [ModelDescription.smallerInWords] : []
        let pictures = (description.pictures.map(\.description) + sides + smaller).joined(separator: ", ")
        return [
            ("name", name), ("family", description.family.rawValue), ("version", printable(description.version)),
            ("folder", printable(folder)), ("pictures", pictures),
        ] + release + limits + schedule + encoders + sampling + learning + [("digest", description.digest)] + files
    }

    /// What it was made of, where that was a release.
    private var release: [(String, String)] {
        guard let record = ReleaseRecord(in: folder) else { return [] }
        let sources = record.sources.sorted { $0.key < $1.key }.map { name, path in
            ("made of", printable("\(name): \(record.isLinked ? "link to " : "")\(path)"))
        }
        return [("release", printable(record.title))] + sources + record.warnings.map { ("warning", printable($0)) }
    }
}
