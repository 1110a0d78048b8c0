import Foundation

/// A call to the operating system that failed: what was called, on what, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call and its subject.
    package let action: String
    /// `errno`.
    package let code: Int32

    /// Takes `errno` as it is unless `code` says otherwise.
    package init(_ call: String, _ subject: String, code: Int32 = errno) {
        action = "\(call) \(subject)"
        self.code = code
    }

    /// The call, its subject, and what the system says.
    package var description: String { "\(action): \(String(cString: strerror(code)))" }
}
