extension String {
    /// For whoever sees no fault in a name: what is no ASCII in it and may pass for it, letters of other alphabets and
    /// marks that cannot be seen, by their numbers: `, with U+0435 in it`; nothing where there is none.
    var strangeLettersInWords: String {
        var codes: [String] = []
        for scalar in unicodeScalars.prefix(100) where !scalar.isASCII && !scalar.isSign {
            if codes.count < 3, !codes.contains(scalar.code) { codes.append(scalar.code) }
        }
        return codes.isEmpty ? "" : ", with \(codes.joined(separator: " and ")) in it"
    }
}

extension Unicode.Scalar {
    /// Its number, `U+0435`.
    var code: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// Whether it is a bracket or an operator, which nobody takes for a letter.
    fileprivate var isSign: Bool {
        switch properties.generalCategory {
        case .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation, .mathSymbol: true
        default: false
        }
    }
}
