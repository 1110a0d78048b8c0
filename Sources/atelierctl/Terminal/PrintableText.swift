/// Text of strangers, made safe to show: names, prompts and messages come from whoever may publish a job, and a
/// terminal acts on escape sequences. Control characters and the marks that reorder text are shown as `\x1b` or alike.
func printable(_ text: String) -> String {
    var safe = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        if isHarmless(scalar) { safe.append(scalar) } else { safe.append(contentsOf: code(of: scalar).unicodeScalars) }
    }
    return String(safe)
}

private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F: false  // C0, DEL and C1
    case 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2069, 0xFEFF: false  // invisible and direction-changing
    case 0xE0000...0xE007F: false  // tags
    default: true
    }
}

private func code(of scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x0A: return "\\n"
    case 0x09: return "\\t"
    case 0...0xFF:
        let hex = String(scalar.value, radix: 16)
        return "\\x" + (hex.count == 1 ? "0" : "") + hex
    default: return "\\u{" + String(scalar.value, radix: 16) + "}"
    }
}
