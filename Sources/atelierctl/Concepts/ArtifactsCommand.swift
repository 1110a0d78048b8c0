import ArgumentParser
import Daemon
import Foundation
import Hashing
import Jobs
import Store

struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts", abstract: "Fetch what jobs made, and read all of it for damage.",
        subcommands: [Get.self, Verify.self])

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                """
                Copy a job's artifacts into a folder, each verified by its SHA-256 (on the daemon's host: reads its \
                state folder).
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "The job's id, its beginning, or the message id.") var id: String
        @Option(help: "The folder.") var out = "."
        @Option(help: "Only artifacts of this role: adapter, picture, sheet, curve …") var role: String?

        func run() async throws {
            try await reporting {
                let settings = try server.settings(needing: ["postgresURL", "stateDirectory"])
                let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl")
                let description = try await store.job(try await job(id, in: store))
                let rows = (description?["artifacts"]?.array ?? []).filter { role == nil || $0["role"]?.string == role }
                guard !rows.isEmpty else {
                    Terminal.note(
                        """
                        atelierctl: the job has no such artifacts; its state is \
                        \(description?["state"]?.string ?? "unknown")
                        """
                    )
                    throw ExitStatus.notFound
                }
                let directory = ArtifactDirectory(existing: settings.artifactsDirectory)
                try converting { try OutputPlace.folder(out) }
                let paths = try writing(to: out) {
                    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
                    return try rows.map { try copy($0, from: directory) }
                }
                if server.json {
                    print(JSONValue.array(paths.map(JSONValue.string)).text)
                } else {
                    for path in paths { print(printable(path)) }
                }
            }
        }

        private func copy(_ row: JSONValue, from directory: ArtifactDirectory) throws -> String {
            guard let digest = row["sha256"]?.string.flatMap(SHA256Digest.init) else { throw ExitStatus.badInput }
            // A name of an engine: only its last part, never a way out of the folder.
            let name =
                (row["name"]?.string ?? digest.description).split(separator: "/").last.map(String.init)
                ?? digest.description
            let target = out + "/" + (name.hasPrefix(".") ? "_" + name : name)
            try directory.export(digest, to: target)
            return target
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Read every artifact the tables name, and say which are missing or damaged; exit code 2 if any is.",
            discussion: "On a daemon's host, as its user. The maintenance timer of systemd/ runs it once a week.")
        @OptionGroup var server: ServerOptions

        func run() async throws {
            try await reporting {
                let settings = try server.settings(needing: ["postgresURL", "stateDirectory"])
                let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl")
                let directory = ArtifactDirectory(existing: settings.artifactsDirectory)
                var whole = 0
                var bad: [JSONValue] = []
                var after = ""
                while let page = try await store.artifacts(after: after, limit: 500), let last = page.last {
                    for digest in page {
                        guard let problem = directory.problem(of: digest) else {
                            whole += 1
                            continue
                        }
                        bad.append(.object(["sha256": .string(digest.description), "problem": .string(problem)]))
                        if !server.json { print("BAD  \(digest)  \(printable(problem))") }
                    }
                    after = last.description
                }
                if server.json {
                    print(JSONValue.object(["whole": .integer(whole), "bad": .array(bad)]).text)
                } else {
                    print("\(counted(whole, "artifact", "is", "are")) whole, \(bad.count) not")
                }
                if !bad.isEmpty { throw ExitStatus.unhealthy }
            }
        }
    }
}
