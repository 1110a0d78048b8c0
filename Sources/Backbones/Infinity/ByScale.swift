/// A number for every scale, coarse to fine: in a configuration one number for all, or a list whose last one holds for
/// the rest too.
package struct ByScale: Codable, Equatable, Sendable {
    private let numbers: [Float]

    /// - Precondition: there is at least one.
    package init(_ numbers: [Float]) {
        precondition(!numbers.isEmpty)
        self.numbers = numbers
    }

    package func values(_ scales: Int) -> [Float] { (0..<scales).map { numbers[min($0, numbers.count - 1)] } }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let numbers = try (try? [container.decode(Float.self)]) ?? container.decode([Float].self)
        guard !numbers.isEmpty else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a list of no numbers; give one, or one a scale")
        }
        self.numbers = numbers
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if numbers.count == 1 { try container.encode(numbers[0]) } else { try container.encode(numbers) }
    }
}

extension ByScale: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    package init(floatLiteral value: Double) { self.init([Float(value)]) }
    package init(integerLiteral value: Int) { self.init([Float(value)]) }
    package init(arrayLiteral elements: Float...) { self.init(elements) }
}
