import Jobs

/// A problem of a row in a line; a pointer of nothing is the whole body.
func sentence(_ problem: JSONValue) -> String {
    func text(_ name: String) -> String { problem[name]?.string ?? "" }
    return Problem(text("pointer"), found: text("found"), allowed: text("allowed")).description
}
