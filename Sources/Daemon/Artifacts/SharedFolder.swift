import Foundation
import Logging
import Store
import Threads

/// The folder of artifacts and checkpoints, told from another that lies at its path: a mount point where nothing is
/// mounted looks like an empty folder, and every job would be given up for artifacts it lacks. A file in it holds a
/// mark that PostgreSQL knows too.
///
/// It may lie on a mount that hangs: what touches it runs on a thread of its own, and nobody waits for that longer than
/// some seconds.
package actor SharedFolder {
    /// It is not the one it was.
    package struct Strange: Error, Equatable, CustomStringConvertible {
        let path: String
        let known: UUID?
        let found: UUID?

        /// Both marks, and what to do.
        package var description: String {
            guard let known else {
                let mark = found.map { $0.uuidString } ?? ""
                return
                    """
                    \(path) holds \(mark), the mark of another cluster's folder, for PostgreSQL knows of none: two \
                    databases must not share it. If these tables are its cluster's, say so: \
                    update atelier.cluster set shared_mark = '\(mark)'
                    """
            }
            return
                """
                \(path) holds \(found.map { $0.uuidString } ?? "no mark"), not \(known.uuidString): is its file \
                system mounted? If it is the right folder, write that mark into the file
                """
        }
    }

    /// The one check that goes on, and whether the last one hung.
    private actor Checks {
        private var running: Task<Void, any Error>?
        private var isHanging = false

        /// The one that runs, or a new one.
        func running(_ examine: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
            if let running { return running }
            let task = Task {
                defer { running = nil }
                try await examine()
            }
            running = task
            return task
        }

        /// Notes whether it hangs; gives whether that is new.
        func note(isHanging: Bool) -> Bool {
            defer { self.isHanging = isHanging }
            return self.isHanging != isHanging
        }
    }

    private static let patience: Duration = .seconds(15)
    private let executor = PinnedExecutor(name: "shared-folder")
    /// A thread of its own: a mount that hangs stops no other actor.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let directory: String
    private let path: String
    /// What belongs into it, made once it is known to be the right one.
    private let folders: [String]
    private var hasFolders = false
    private let checks = Checks()
    /// What the file was called in the version before.
    private let former: String
    private let store: Store
    private let logger: Logger
    /// As PostgreSQL has it; does not change.
    private var known: UUID?
    private var isStrange = false

    /// The folder `directory`, and those below it that daemons need; nothing is made before the first check.
    package init(directory: String, folders: [String] = [], store: Store, logger: Logger) {
        (self.directory, self.folders) = (directory, folders)
        path = directory + "/cluster"
        former = directory + "/house"
        (self.store, self.logger) = (store, logger)
    }

    /// Holds the folder's mark against the known one; gives a folder without one its mark where none is known yet. Who
    /// asks while that goes on already waits for the same answer.
    /// - Throws: `Strange`, `HangingFolder`, `StoreError` while the mark is not known, or `SystemError` where it cannot
    ///   be written.
    package nonisolated func check() async throws {
        let task = await checks.running { try await self.examine() }
        do {
            try await value(of: task, within: Self.patience, or: HangingFolder(path: path))
            await note(isHanging: false)
        } catch let hanging as HangingFolder {
            await note(isHanging: true)
            throw hanging
        }
    }

    /// Logs once that it hangs, and once that it answers again.
    private nonisolated func note(isHanging: Bool) async {
        guard await checks.note(isHanging: isHanging) else { return }
        if isHanging {
            logger.error("no new work: the folder of artifacts does not answer", metadata: ["path": "\(path)"])
        } else {
            logger.notice("the folder of artifacts answers again")
        }
    }

    private func examine() async throws {
        var found = mark(in: path)
        if known == nil { known = try await store.sharedMark(proposal: nil) }
        if found == nil { found = adopt() }
        if found == nil {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            found = try await settle()
        }
        guard found != known || known == nil else {
            try makeFolders()
            return note(nil)
        }
        let strange = Strange(path: path, known: known, found: found)
        note(strange)
        throw strange
    }

    private func makeFolders() throws {
        guard !hasFolders else { return }
        for folder in folders {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        hasFolders = true
    }

    /// Gives the file of the version before its name of today where it holds the known mark, or was about to; gives the
    /// mark in it.
    private func adopt() -> UUID? {
        for file in [former, former + ".new"] {
            if let known, mark(in: file) == known, rename(file, path) == 0 { return known }
        }
        return mark(in: former)
    }

    /// Gives a fresh folder its mark, in steps that others may share and that may be broken off anywhere: a proposal is
    /// there whole before PostgreSQL hears of it, and gets its name once that has taken it.
    private func settle() async throws -> UUID? {
        if known == nil {
            try propose()
            known = try await store.sharedMark(proposal: mark(in: proposal))
        }
        guard let known, mark(in: proposal) == known else {
            // Another daemon, or another task of this one, was faster: then a proposal is of no use any more.
            let found = mark(in: path)
            if found == known { unlink(proposal) }
            return found
        }
        guard rename(proposal, path) == 0 || mark(in: path) == known else { throw SystemError("rename", proposal) }
        return known
    }

    private var proposal: String { path + ".new" }

    private func mark(in file: String) -> UUID? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        return UUID(uuidString: text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Lays a proposal there unless another daemon has.
    private func propose() throws {
        let own = "\(proposal).\(UUID().uuidString)"
        defer { unlink(own) }
        let file = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw SystemError("create", own) }
        defer { close(file) }
        let bytes = Array((UUID().uuidString + "\n").utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else { throw SystemError("write", own) }
        guard Glibc.link(own, proposal) == 0 || errno == EEXIST else { throw SystemError("link", proposal) }
    }

    /// Says once that it is not the one it was, and once that it is again.
    private func note(_ strange: Strange?) {
        guard isStrange != (strange != nil) else { return }
        isStrange = strange != nil
        if let strange {
            logger.error(
                "no new work: the folder of artifacts is not this cluster's", metadata: ["error": "\(strange)"])
        } else {
            logger.notice("the folder of artifacts is there again")
        }
    }
}
