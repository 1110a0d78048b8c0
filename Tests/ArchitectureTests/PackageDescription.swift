import Foundation

/// The package as `swift package dump-package` describes it: each target with the targets of ours it depends on.
struct PackageDescription {
    struct Target {
        let type: String
        let folder: String
        let dependencies: Set<String>
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        .standardizedFileURL.path
    /// The toolchain's command; nil where there is none in PATH.
    static let swift = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":").map { $0 + "/swift" }.first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    /// Read once for all tests.
    static let shared = Result { try PackageDescription() }

    let targets: [String: Target]

    private struct Failure: Error, CustomStringConvertible { let description: String }

    private init() throws {
        let object = try JSONSerialization.jsonObject(with: Self.dump()) as? [String: Any]
        let entries = object?["targets"] as? [[String: Any]] ?? []
        let names = Set(entries.compactMap { $0["name"] as? String })
        targets = Dictionary(
            uniqueKeysWithValues: entries.map { entry in
                let name = entry["name"] as? String ?? ""
                let type = entry["type"] as? String ?? ""
                // {"byName": [name, condition]}, likewise target and product; products are other packages'.
                let dependencies = (entry["dependencies"] as? [[String: [Any]]] ?? []).filter { $0["product"] == nil }
                    .compactMap { $0.values.first?.first as? String }
                let folder = entry["path"] as? String ?? (type == "test" ? "Tests/" : "Sources/") + name
                return (name, Target(type: type, folder: folder, dependencies: names.intersection(dependencies)))
            })
        if targets.isEmpty { throw Failure(description: "swift package dump-package names no target") }
    }

    /// In a scratch folder of its own: `swift test` holds the lock of the usual one.
    private static func dump() throws -> Data {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
            "atelier-package-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: swift ?? "")
        process.arguments = ["package", "--package-path", root, "--scratch-path", scratch, "dump-package"]
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "swift package dump-package ended with \(process.terminationStatus)")
        }
        return data
    }

    /// The targets of a type: regular, executable, system or test.
    func names(_ type: String) -> Set<String> { Set(targets.filter { $0.value.type == type }.keys) }

    /// Everything of ours that a target stands on, itself left out.
    func foundation(of name: String) -> Set<String> {
        var found: Set<String> = []
        var open = targets[name]?.dependencies ?? []
        while let next = open.popFirst() {
            if found.insert(next).inserted { open.formUnion(targets[next]?.dependencies ?? []) }
        }
        return found
    }

    /// The modules of ours that a target's sources import.
    func imports(of name: String) throws -> Set<String> {
        let folder = Self.root + "/" + (targets[name]?.folder ?? "")
        let files =
            FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }.filter {
                $0.hasSuffix(".swift")
            } ?? []
        let lines = try files.flatMap {
            try String(contentsOfFile: folder + "/" + $0, encoding: .utf8).split(separator: "\n")
        }
        let modules = lines.filter { $0.hasPrefix("import ") || $0.hasPrefix("@testable import ") }.compactMap {
            $0.split(separator: " ").last.map(String.init)
        }
        return Set(modules).intersection(targets.keys)
    }
}
