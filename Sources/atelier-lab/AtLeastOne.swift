import ArgumentParser

/// Holds numbers, by their options' names, of which there must be at least one.
/// - Throws: `ValidationError` for the first that is less.
func requireAtLeastOne(_ counts: KeyValuePairs<String, Int>) throws {
    for (name, value) in counts where value < 1 { throw ValidationError("--\(name) \(value): must be at least 1") }
}
