/// Every option of every method, as Markdown: `docs/jobs.md` holds it, `atelierctl schema --options` prints it, and a
/// test holds the one against the other.
package enum OptionReference {
    /// The longest line.
    private static let width = 120

    /// One heading a method and role, one entry an option: name, default, values, meaning.
    package static var markdown: String {
        (methods + drawing).map { title, table in
            (["### " + title, ""] + table.rows.flatMap(entry)).joined(separator: "\n")
        }.joined(separator: "\n\n") + "\n"
    }

    private static var methods: [(String, OptionTable)] {
        PersonalizationMethod.allCases.flatMap { method in
            let tables = method.roles.map { method.options(for: $0) }
            // A method whose roles have the same options has them once.
            guard Set(tables.map(\.rows.description)).count > 1 else {
                return [("`personalize` by `\(method.rawValue)`", tables[0])]
            }
            return zip(method.roles, tables).map { ("`personalize` by `\(method.rawValue)`, a \($0.rawValue)", $1) }
        }
    }

    private static var drawing: [(String, OptionTable)] {
        [
            ("Drawing scale by scale (Infinity)", .nextScaleDrawing),
            ("Drawing token by token (Chameleon)", .nextTokenDrawing),
            ("Drawing code by code (LlamaGen)", .codeDrawing), ("Drawing by diffusion", .diffusionDrawing),
            ("`evaluate`", .evaluation),
        ]
    }

    private static func entry(_ option: JobOption) -> [String] {
        let standard = option.standard == .null ? "" : " [`\(option.standard.text)`]"
        return wrapped("- `\(option.name)`\(standard): \(option.meaning); \(option.allowed)")
    }

    /// Lines of at most `width` characters; what follows the first stands below its text.
    private static func wrapped(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = " "
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [line]
    }
}
