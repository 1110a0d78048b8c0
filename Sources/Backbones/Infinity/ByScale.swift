/// A number for every scale, coarse to fine: in a configuration one number for all, or a list whose last one holds for
/// the rest too.
package struct ByScale: Codable, Equatable, Sendable {
    private let numbers: [Float]

    /// - Precondition: there is at least one.
    package init(_ numbers: [Float]) {
        precondition(!numbers.isEmpty)
        self.numbers = numbers
    }

    /// One for each of so many scales.
    package func values(_ scales: Int) -> [Float] { (0..<scales).map { numbers[min($0, numbers.count - 1)] } }

    /// A number, or a list of them.
    /// - Throws: `DecodingError` for a list of none, or what is neither.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let numbers = try (try? [container.decode(Float.self)]) ?? container.decode([Float].self)
        guard !numbers.isEmpty else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a list of no numbers; give one, or one a scale")
        }
        self.numbers = numbers
    }

    /// A list of one number is written as the number.
    /// - Throws: what the encoder does.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if numbers.count == 1 { try container.encode(numbers[0]) } else { try container.encode(numbers) }
    }
}

extension ByScale: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
    /// One number for all scales.
    package init(floatLiteral value: Double) { self.init([Float(value)]) }
    /// One number for all scales.
    package init(integerLiteral value: Int) { self.init([Float(value)]) }
    /// One each, coarse to fine.
    /// - Precondition: there is at least one.
    package init(arrayLiteral elements: Float...) { self.init(elements) }
}
