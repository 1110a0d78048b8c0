/// A string that must not reach a log, an error or a terminal: it prints as `‹secret›`, and only `reveal()` gives it.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps `value`.
    package init(_ value: String) { self.value = value }

    /// The string itself: for the call that opens the connection, nothing else.
    package func reveal() -> String { value }

    /// The same of every secret.
    package var description: String { "‹secret›" }
    /// The same of every secret.
    package var debugDescription: String { description }
    /// Without children: `dump` shows nothing either.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
