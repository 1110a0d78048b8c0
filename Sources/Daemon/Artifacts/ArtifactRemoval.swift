import Foundation
import Hashing

/// Artifacts go when nobody refers to them. Whoever takes one in again makes it young, also where its bytes are there
/// already; so one that is old has no job on the way to the tables.
extension ArtifactDirectory {
    /// The folders artifacts lie in, by the first two digits of their digests.
    func shelves() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root).filter {
            $0.count == 2 && $0.allSatisfy(\.isHexDigit)
        }.sorted()
    }

    /// The digests on a shelf that were taken in longer ago than `age`.
    func digests(on shelf: String, olderThan age: Duration) throws -> [SHA256Digest] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(shelf)").compactMap { SHA256Digest(shelf + $0) }
            .filter { isOlder(path(of: $0), age) }
    }

    /// Removes an artifact if it is still older than `age`; gives whether it did.
    ///
    /// It is moved aside first: whoever takes the same bytes in from then on finds none and writes them anew; whoever
    /// found it just before has made it young, and it is moved back.
    func remove(_ digest: SHA256Digest, olderThan age: Duration) throws -> Bool {
        let place = path(of: digest)
        // No name that another daemon may move newer bytes to, before these are removed.
        let aside = "\(incoming)/\(digest).\(UUID().uuidString)"
        guard isOlder(place, age), rename(place, aside) == 0 else {
            // A daemon that ended in the midst of this has left it there.
            try removeOrphans(of: "\(digest).", olderThan: age)
            return false
        }
        guard isOlder(aside, age) else {
            // Where it is not there another daemon removed it just now.
            guard rename(aside, place) == 0 || errno == ENOENT else { throw SystemError("rename", place) }
            return false
        }
        unlink(aside)
        return true
    }

    /// Removes what was on its way in or out when a daemon ended, longer ago than `age`: no row knows it. Gives how
    /// many. Of a `prefix` only what is called so.
    @discardableResult
    func removeOrphans(of prefix: String = "", olderThan age: Duration) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: incoming).filter { $0.hasPrefix(prefix) }
            .map { "\(incoming)/\($0)" }.filter { isOlder($0, age) && unlink($0) == 0 }.count
    }

    /// Makes an artifact young. Gives false where it is not there any more.
    func touch(_ digest: SHA256Digest) -> Bool { utimensat(AT_FDCWD, path(of: digest), nil, 0) == 0 }

    private func isOlder(_ path: String, _ age: Duration) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && time(nil) - status.st_mtim.tv_sec > age.components.seconds
    }
}
