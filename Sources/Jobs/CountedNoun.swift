/// `1 job`, `2 jobs`.
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The same, and what they do: `1 message waits`, `2 messages wait`.
package func counted(_ count: Int, _ noun: String, _ one: String, _ many: String) -> String {
    "\(counted(count, noun)) \(count == 1 ? one : many)"
}
