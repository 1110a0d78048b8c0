import Foundation

/// The system's number of an error, wherever Foundation or a ``CheckpointError`` keeps it; nil where the system had no
/// part in it.
package func errorNumber(of error: any Error) -> Int32? {
    if let error = error as? CheckpointError { return error.errorNumber }
    let found = error as NSError
    switch (found.domain, found.code) {
    case (NSPOSIXErrorDomain, let code): return Int32(code)
    case (NSCocoaErrorDomain, CocoaError.fileWriteOutOfSpace.rawValue): return ENOSPC
    case (NSCocoaErrorDomain, CocoaError.fileWriteVolumeReadOnly.rawValue): return EROFS
    default: return (found.userInfo[NSUnderlyingErrorKey] as? any Error).flatMap(errorNumber)
    }
}
