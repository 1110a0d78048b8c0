import DaemonTesting
import Foundation
import Jobs

/// A client of the web program: curl, with cookies of its own, which follows nowhere by itself.
struct WebClient {
    /// What came back.
    struct Answer {
        let status: Int
        /// Names in lower case.
        let headers: [String: String]
        let body: String

        /// The body as JSON.
        var json: JSONValue? { try? JSONValue(json: Data(body.utf8)) }
        /// What forms of the page carry.
        var formToken: String? { body.firstMatch(of: /name="form_token"\s+value="([0-9a-f]+)"/).map { String($0.1) } }
    }

    let address: String
    private let folder: TemporaryFolder

    init(_ address: String) throws {
        self.address = address
        folder = try TemporaryFolder()
    }

    /// Asks for a page as a browser does.
    func page(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await ask(path, ["Accept": "text/html"].merging(headers) { $1 }, [])
    }

    /// Asks as a program does.
    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await ask(path, headers, [])
    }

    /// Sends a form.
    func send(
        _ path: String, _ form: [(String, String)], _ headers: [String: String] = [:]
    ) async throws -> Answer {
        try await ask(
            path, ["Accept": "text/html"].merging(headers) { $1 },
            ["-X", "POST"] + form.flatMap { ["--data-urlencode", "\($0)=\($1)"] })
    }

    /// Sends JSON.
    func send(json: JSONValue, to path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        let file = try folder.write("body", json.text)
        return try await ask(
            path, ["Content-Type": "application/json"].merging(headers) { $1 },
            ["-X", "POST", "--data-binary", "@" + file])
    }

    /// Asks with whatever else curl is to be told.
    func ask(_ path: String, _ headers: [String: String], _ options: [String]) async throws -> Answer {
        let jar = folder.path + "/cookies"
        let run = try await ProgramRun(
            "curl",
            ["-s", "-i", "--max-time", "60", "-b", jar, "-c", jar]
                + headers.flatMap { ["-H", "\($0.key): \($0.value)"] } + options + [address + path],
            environment: ["PATH": "/usr/bin:/bin", "no_proxy": "*"])
        let parts = run.output.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let lines = (parts.first ?? "").components(separatedBy: "\r\n")
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            let pair = line.split(separator: ":", maxSplits: 1)
            return pair.count == 2 ? (pair[0].lowercased(), pair[1].trimmingCharacters(in: .whitespaces)) : nil
        }
        return Answer(
            status: lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0,
            headers: Dictionary(fields) { first, _ in first }, body: parts.count > 1 ? String(parts[1]) : "")
    }
}
