import Foundation

/// How fast a host does each kind of work, as its engine measured: `ENGINE measure`, one line of JSON.
package struct HostRates: Sendable, Equatable, JSONLine {
    /// The version of what is measured: rates of another are measured again.
    package static let version = 3

    /// Of what was measured, as it was then.
    package var version: Int
    /// How much a second, by the kinds of ``JobCost``.
    package var rates: [String: Double]
    /// Memory of an engine that holds no model.
    package var residentBytes: Int
    /// Threads it was measured with.
    package var threads: Int

    /// Describes a host.
    package init(rates: [String: Double], residentBytes: Int, threads: Int) {
        (self.version, self.rates, self.residentBytes, self.threads) = (Self.version, rates, residentBytes, threads)
    }

    private enum CodingKeys: String, CodingKey {
        case version, rates, threads
        case residentBytes = "resident_bytes"
    }
}
