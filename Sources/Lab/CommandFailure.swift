import Checkpoints
import Foundation
import Jobs

/// What a command could not read or write, as a sentence for people; of a full disk with what to do.
package struct CommandFailure: Error, CustomStringConvertible {
    /// The file, the reason, and what to do.
    package let description: String

    /// Nil for an error that is none of a file: it speaks for itself.
    package init?(_ error: any Error) {
        let ofFiles = [NSCocoaErrorDomain, NSPOSIXErrorDomain]
        guard error is CheckpointError || ofFiles.contains((error as NSError).domain) else { return nil }
        let isFull = errorNumber(of: error).map([ENOSPC, EDQUOT].contains) ?? false
        let remedy = "; make room on its disk and start again, or give another place"
        description = sentence(of: error) + (isFull ? remedy : "")
    }
}
