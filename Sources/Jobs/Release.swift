/// Which Atelier this is.
package enum Release {
    /// The version all programs tell of themselves.
    package static let version = "0.1.0"
}
