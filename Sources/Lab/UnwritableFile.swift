import Checkpoints
import Foundation

extension CocoaError {
    /// A file that cannot be written, by the system's number of why.
    static func unwritable(_ path: String, _ number: Int32) -> CocoaError {
        CocoaError(
            .fileWriteUnknown,
            userInfo: [NSFilePathErrorKey: path, NSUnderlyingErrorKey: POSIXError(.init(rawValue: number) ?? .EIO)])
    }
}

/// Names the file in the system's errors: Foundation's handles leave it out.
func naming(_ path: String, _ write: () throws -> Void) throws {
    do { try write() } catch {
        guard let number = errorNumber(of: error) else { throw error }
        throw CocoaError.unwritable(path, number)
    }
}
