import Foundation

/// One metric with its samples, and both forms in which it is read: OpenMetrics 1.0, and Prometheus' older text format.
struct MetricFamily: Sendable {
    enum Kind: String, Sendable { case gauge, counter, histogram }

    /// The two forms.
    enum Form: Sendable { case openMetrics, text }

    /// One value: what follows the name (`_bucket`), the labels, the number.
    struct Sample: Sendable {
        var suffix = ""
        var labels: [(name: String, value: String)] = []
        let value: Double
    }

    /// Without `_total`, and with the unit at its end where it has one.
    let name: String
    let kind: Kind
    let help: String
    var unit: String?
    var samples: [Sample] = []

    /// A value by labels.
    mutating func add(_ value: Double, _ labels: KeyValuePairs<String, String> = [:], suffix: String = "") {
        samples.append(Sample(suffix: suffix, labels: labels.map { ($0, $1) }, value: value))
    }

    /// Its lines.
    func text(_ form: Form) -> String {
        let family = form == .text && kind == .counter ? name + "_total" : name
        var lines = ["# TYPE \(family) \(kind.rawValue)"]
        if form == .openMetrics, let unit { lines.append("# UNIT \(family) \(unit)") }
        lines.append("# HELP \(family) \(help)")
        for sample in samples {
            let labels = sample.labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            let suffix = kind == .counter ? "_total" : sample.suffix
            lines.append(name + suffix + (labels.isEmpty ? "" : "{\(labels)}") + " " + Self.number(sample.value))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return "\(value)"
    }
}

/// Seconds by how many they are at most.
struct DurationHistogram: Sendable {
    /// From a probe's milliseconds to a day of training.
    static let bounds = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]
    private var counts = [Double](repeating: 0, count: bounds.count + 1)
    private var sum = 0.0

    /// Counts one.
    mutating func add(_ seconds: Double) {
        counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        sum += seconds
    }

    /// Its samples into a family.
    func write(to family: inout MetricFamily, kind: String) {
        var total = 0.0
        for (index, bound) in (Self.bounds + [.infinity]).enumerated() {
            total += counts[index]
            family.add(total, ["kind": kind, "le": MetricFamily.number(bound)], suffix: "_bucket")
        }
        family.add(sum, ["kind": kind], suffix: "_sum")
        family.add(total, ["kind": kind], suffix: "_count")
    }
}
