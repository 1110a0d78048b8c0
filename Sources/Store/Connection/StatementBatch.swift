/// As many rows as one statement takes, or fewer where these hold more than it has time for.
package struct StatementBatch: Sendable {
    /// As many go into the next statement.
    package private(set) var size: Int

    /// At first as many as `size`.
    package init(_ size: Int) { self.size = size }

    /// Takes a quarter of them from now on, where the statement took too long.
    /// - Throws: `error` where it says anything else, or where one alone takes too long.
    package mutating func shrink(after error: any Error) throws {
        guard case StoreError.tookTooLong = error, size > 1 else { throw error }
        size = max(1, size / 4)
    }
}
