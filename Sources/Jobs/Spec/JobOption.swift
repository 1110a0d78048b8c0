/// One option a job may give: its name, the values it takes, and what holds when nobody gives it.
package struct JobOption: Sendable, Equatable {
    /// The values an option takes.
    package enum Values: Sendable, Equatable {
        case integers(ClosedRange<Int>)
        case numbers(ClosedRange<Double>)
        /// One number for all scales of the model, or a list with one for each.
        case numbersByScale(ClosedRange<Double>)
        case flag
        case choice([String])
        /// A text of so many bytes that contains a word, if one is asked for.
        case text(ClosedRange<Int>, containing: String)
        /// The name of a model.
        case model
        /// Up to so many texts of so many bytes.
        case texts(ClosedRange<Int>, bytes: ClosedRange<Int>)
        /// How many, or `{"job": …}`: those that a job made.
        case countOrJob(ClosedRange<Int>)
    }

    /// Its name in a job's `options`.
    package let name: String
    /// What it takes.
    package let values: Values
    /// What holds when it is not given; null where that follows from the model.
    package let standard: JSONValue
    /// One line for people.
    package let meaning: String

    /// Describes an option.
    package init(_ name: String, _ values: Values, standard: JSONValue, _ meaning: String) {
        self.name = name
        self.values = values
        self.standard = standard
        self.meaning = meaning
    }

    /// Whether `value` is one of its values.
    package func accepts(_ value: JSONValue) -> Bool {
        switch values {
        case .integers(let range): value.integer.map(range.contains) ?? false
        case .numbers(let range): value.double.map(range.contains) ?? false
        case .numbersByScale(let range):
            (value.array ?? [value]).allSatisfy { $0.double.map(range.contains) ?? false } && value != .array([])
        case .flag: value == .bool(true) || value == .bool(false)
        case .choice(let words): value.string.map(words.contains) ?? false
        case .text(let length, let word):
            value.string.map {
                length.contains($0.utf8.count) && (word.isEmpty || $0.contains(word)) && !$0.contains("\0")
            }
                ?? false
        case .model: value.string.map(ModelDescription.isName) ?? false
        case .texts(let count, let bytes):
            value.array.map { list in
                count.contains(list.count)
                    && list.allSatisfy {
                        $0.string.map { bytes.contains($0.utf8.count) && !$0.contains("\0") } ?? false
                    }
            } ?? false
        case .countOrJob(let range): value.integer.map(range.contains) ?? (ProxySource(value) != nil)
        }
    }

    /// Its values in words, for whoever gave another one.
    package var allowed: String {
        switch values {
        case .integers(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .numbers(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .numbersByScale(let range):
            "a number from \(range.lowerBound) to \(range.upperBound), or a list of them, one for each scale"
        case .flag: "true or false"
        case .choice(let words): words.joined(separator: ", ")
        case .text(let length, let word):
            "a text of \(length.lowerBound) to \(length.upperBound) bytes"
                + (word.isEmpty ? "" : " with \(word) in it")
        case .model: "a model's name: " + ModelDescription.nameRule
        case .texts(let count, let bytes):
            """
            a list of \(count.lowerBound) to \(count.upperBound) texts of \(bytes.lowerBound) to \
            \(bytes.upperBound) bytes
            """
        case .countOrJob(let range):
            "a whole number from \(range.lowerBound) to \(range.upperBound), or \(ProxySource.rule)"
        }
    }
}
