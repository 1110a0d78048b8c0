import ArgumentParser
import Daemon
import Foundation
import Jobs
import Store

/// Where the servers are, and in which form the answer is wanted.
struct ServerOptions: ParsableArguments {
    @Option(name: .long, help: "A JSON file of settings, as for atelierd.") var config: String?
    @Flag(name: .long, help: "Print JSON instead of text.") var json = false

    /// The settings, of which those in `needed` must be there.
    /// - Parameter postgresURLFile: the file with PostgreSQL's URL, whatever the environment says.
    func settings(
        needing needed: Set<String> = ["postgresURL"], postgresURLFile: String? = nil
    ) throws -> Settings {
        let all: Set<String> = ["amqpURL", "postgresURL", "stateDirectory", "modelsDirectory"]
        var environment = ProcessInfo.processInfo.environment
        if let postgresURLFile {
            environment["ATELIER_POSTGRES_URL"] = nil
            environment["ATELIER_POSTGRES_URL_FILE"] = postgresURLFile
        }
        do {
            return try Settings.read(file: config, environment: environment, optional: all.subtracting(needed))
        } catch {
            Terminal.note("atelierctl: the configuration has problems:\n\(error)")
            throw ExitStatus.configuration
        }
    }

    func store() throws -> Store { Store(url: try settings().postgresURL.reveal(), application: "atelierctl") }
}

/// Runs `body`; a server that is away or refuses ends the program with a line and its code.
/// - Parameter state: what is said besides: what has become of what the program was to do.
func reporting<Value>(_ state: String? = nil, _ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as StoreError {
        Terminal.note("atelierctl: " + printable([error.description, state].compactMap { $0 }.joined(separator: "; ")))
        throw error.isTemporary ? ExitStatus.unavailable : ExitStatus.badInput
    }
}

/// Runs what writes to a place, perhaps a copy of an artifact; what cannot be written, or is missing or damaged, ends
/// the program with a line and its code.
func writing<Value>(to place: String, _ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let refusal as ArtifactDirectory.Refusal {
        Terminal.note("atelierctl: \(printable(refusal.description))")
        throw ExitStatus.notFound
    } catch {
        if error is ExitCode { throw error }
        Terminal.note(
            """
            atelierctl: \(printable(place)) cannot be written: \(printable(sentence(of: error))); make room there, or \
            give another place
            """)
        throw ExitStatus.unwritten
    }
}

/// Asks again while PostgreSQL is away: what is watched goes on without it.
func patiently<Value>(_ body: () async throws -> Value) async throws -> Value {
    var hasSaidSo = false
    while true {
        do { return try await body() } catch let error as StoreError where error.isTemporary {
            if !hasSaidSo { Terminal.note("atelierctl: \(printable(error.description)); asked again until it answers") }
            hasSaidSo = true
            try await Task.sleep(for: .seconds(1))
        }
    }
}

/// The one job that `text` means: an id, its beginning, or a message id.
func job(_ text: String, in store: Store) async throws -> UUID {
    let found = try await store.find(text)
    if found.count == 1 { return found[0] }
    let several = found.isEmpty ? "" : ": " + found.map { $0.uuidString.lowercased() }.joined(separator: ", ")
    Terminal.note(
        """
        atelierctl: \(found.isEmpty ? "no job" : "more than one job") has the id, its beginning (4 digits or more) or \
        the message id \"\(printable(text))\"\(several)
        """
    )
    throw ExitStatus.notFound
}
