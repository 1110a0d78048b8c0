import Jobs

/// What a job's `options` say, and what holds where they say nothing; what there is to say is in the table.
package struct OptionValues {
    private let values: [String: JSONValue]

    /// - Throws: `JobFailure` listing every unknown option and every value out of range.
    package init(_ given: [String: JSONValue], of table: OptionTable) throws {
        try self.init(.object(given), of: table)
    }

    /// The same for options that nobody has looked at yet.
    /// - Parameter usual: what holds of the model where nothing is given.
    package init(_ given: JSONValue?, of table: OptionTable, usual: [String: JSONValue] = [:]) throws {
        let problems = table.problems(in: given)
        guard problems.isEmpty else { throw JobFailure.options(problems) }
        values = table.completed(given, usual: usual)
    }

    /// What holds by itself.
    package init(of table: OptionTable) { values = table.completed(nil) }

    /// Nil where nothing is given and what holds follows from the model.
    package subscript(_ name: String) -> JSONValue? { values[name] == .null ? nil : values[name] }

    /// Assigns a whole number, where there is one.
    func integer(_ name: String, _ assign: (Int) -> Void) {
        if let value = values[name]?.integer { assign(value) }
    }
    /// Assigns a number, where there is one.
    func number(_ name: String, _ assign: (Float) -> Void) {
        if let value = values[name]?.double { assign(Float(value)) }
    }
    /// Assigns a yes or no, where there is one.
    func flag(_ name: String, _ assign: (Bool) -> Void) {
        if case .bool(let value) = values[name] { assign(value) }
    }
    /// Assigns a text, where there is one.
    func text(_ name: String, _ assign: (String) -> Void) {
        if let value = values[name]?.string { assign(value) }
    }
}
