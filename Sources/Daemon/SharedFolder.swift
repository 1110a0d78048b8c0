import Foundation
import Logging
import Store

/// The folder of artifacts and checkpoints, told from another that lies at its path: a mount point where nothing is mounted looks like an empty
/// folder, and every job would be given up for artifacts it lacks. A file in it holds a mark that PostgreSQL knows too.
package actor SharedFolder {
    /// It is not the one it was.
    package struct Strange: Error, Equatable, CustomStringConvertible {
        let path: String
        let known: UUID
        let found: UUID?

        package var description: String {
            "\(path) holds \(found.map { $0.uuidString } ?? "no mark"), not \(known.uuidString): is its file system mounted? If it is the right folder, write that mark into the file"
        }
    }

    private let path: String
    private let store: Store
    private let logger: Logger
    /// As PostgreSQL has it; does not change.
    private var known: UUID?
    private var isStrange = false

    /// The folder `directory`.
    package init(directory: String, store: Store, logger: Logger) {
        path = directory + "/house"
        (self.store, self.logger) = (store, logger)
    }

    /// Holds the folder's mark against the known one; writes it there where none is known yet.
    /// - Throws: `Strange`, `StoreError` while the mark is not known, or `SystemError` where it cannot be written.
    package func check() async throws {
        let found = mark
        if known == nil {
            let proposal = found ?? UUID()
            known = try await store.sharedMark(proposal: proposal)
            if found == nil && known == proposal { return try write(proposal) }
        }
        guard found != known, let known else { return note(nil) }
        let strange = Strange(path: path, known: known, found: found)
        note(strange)
        throw strange
    }

    private var mark: UUID? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap { UUID(uuidString: $0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    private func write(_ mark: UUID) throws {
        do { try Data((mark.uuidString + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            known = nil
            throw error
        }
    }

    /// Says once that it is not the one it was, and once that it is again.
    private func note(_ strange: Strange?) {
        guard isStrange != (strange != nil) else { return }
        isStrange = strange != nil
        if let strange { logger.error("no new work: the folder of artifacts is not the house's", metadata: ["error": "\(strange)"]) } else { logger.notice("the folder of artifacts is there again") }
    }
}
