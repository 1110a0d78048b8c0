/// A model's card, or the manual, as blocks of text that a template escapes: headings, paragraphs, lists, tables and
/// code of Markdown, and nothing in it taken for HTML.
struct CardText: Sendable {
    /// A block: exactly one of them.
    enum Block: Sendable, Equatable {
        case heading(String)
        case paragraph(String)
        case item(String)
        /// The names of a table's columns.
        case head([String])
        case row([String])
        case code(String)
    }

    let parts: [Block]

    /// Reads Markdown line by line.
    init(markdown: String) {
        var parts: [Block] = []
        var paragraph: [Substring] = []
        var code: [Substring]?
        func flush() {
            if !paragraph.isEmpty { parts.append(.paragraph(Self.plain(paragraph.joined(separator: " ")))) }
            paragraph = []
        }
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                flush()
                if let lines = code { parts.append(.code(lines.joined(separator: "\n"))) }
                code = code == nil ? [] : nil
            } else if code != nil {
                code?.append(line)
            } else if line.hasPrefix("    "), paragraph.isEmpty {
                if case .code(let text) = parts.last {
                    parts[parts.count - 1] = .code(text + "\n" + line.dropFirst(4))
                } else {
                    parts.append(.code(String(line.dropFirst(4))))
                }
            } else if line.hasPrefix("#") {
                flush()
                let text = Self.plain(String(line.drop { $0 == "#" || $0 == " " }))
                parts.append(.heading(text.replacing("`", with: "")))
            } else if line.hasPrefix("|") {
                flush()
                let cells = line.split(separator: "|").map { Self.plain($0.trimmingPrefix(" ").description) }
                let isRule = cells.allSatisfy { $0.allSatisfy { "-: ".contains($0) } }
                if !isRule {
                    parts.append(.row(cells))
                } else if case .row(let names) = parts.last {
                    parts[parts.count - 1] = .head(names)
                }
            } else if line.hasPrefix("- ") || line.hasPrefix("* ") {
                flush()
                parts.append(.item(Self.plain(String(line.dropFirst(2)))))
            } else if line.hasPrefix("  "), case .item(let text) = parts.last, paragraph.isEmpty {
                parts[parts.count - 1] = .item(text + " " + Self.plain(line.trimmingPrefix("  ").description))
            } else if line.isEmpty || line.hasPrefix("![") {
                flush()
            } else {
                paragraph.append(line)
            }
        }
        flush()
        self.parts = parts
    }

    /// A line without marks of emphasis and addresses of links; those of code stay.
    private static func plain(_ text: String) -> String {
        text.replacing(/!?\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])/) { $0.output.1 }.replacing("**", with: "")
            .trimmingSuffix
    }

    /// What stands between marks of code, and what does not, in order.
    private static func runs(_ text: String) -> [String: Any] {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false).map(String.init).enumerated()
        return ["runs": parts.map { $0.isMultiple(of: 2) ? ["text": $1, "mono": ""] : ["text": "", "mono": $1] }]
    }

    /// What a template reads: runs of items and rows together.
    var blocks: [[String: Any]] {
        var blocks: [[String: Any]] = []
        func extend(_ name: String, _ value: Any) {
            if var last = blocks.last?[name] as? [Any] {
                last.append(value)
                blocks[blocks.count - 1][name] = last
            } else {
                blocks.append([name: [value], "has_" + name: true])
            }
        }
        for part in parts {
            switch part {
            case .heading(let text): blocks.append(["heading": text])
            case .paragraph(let text): blocks.append(["paragraph": Self.runs(text)])
            case .code(let text): blocks.append(["code": text])
            case .item(let text): extend("items", Self.runs(text))
            case .head(let names): extend("rows", ["heads": names.map(Self.runs)])
            case .row(let cells): extend("rows", ["cells": cells.map(Self.runs)])
            }
        }
        return blocks
    }
}

extension String {
    fileprivate var trimmingSuffix: String {
        var text = self[...]
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }
}
