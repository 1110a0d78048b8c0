import Foundation

/// An error as a sentence for people. Foundation's own show all that they hold: of those it is the file and the
/// system's reason. Those of decoding, which are of Foundation's domain too, have neither: they say what is missing.
package func sentence(of error: any Error) -> String {
    let found = error as NSError
    guard [NSCocoaErrorDomain, NSPOSIXErrorDomain].contains(found.domain), !(error is DecodingError) else {
        return "\(error)"
    }
    let cause = (found.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? found
    let reason =
        cause.domain == NSPOSIXErrorDomain
        ? String(cString: strerror(Int32(cause.code))) : found.localizedDescription
    return [found.userInfo[NSFilePathErrorKey] as? String, reason].compactMap(\.self).joined(separator: ": ")
}
