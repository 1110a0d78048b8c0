import Foundation
import Jobs
import Testing

/// The options as `docs/jobs.md` lists them.
@Suite struct OptionReferenceTests {
    @Test func thePageListsEveryOptionAsItIs() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/jobs.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(
            text.contains(OptionReference.markdown),
            "docs/jobs.md: replace what stands under \"Options\" by what atelierctl schema --options prints")
    }

    @Test func everyOptionHasItsLine() {
        let tables = PersonalizationMethod.allCases.flatMap { method in method.roles.map { method.options(for: $0) } }
        for row in (tables + [.nextScaleDrawing, .nextTokenDrawing, .evaluation]).flatMap(\.rows) {
            #expect(OptionReference.markdown.contains("- `\(row.name)`"))
        }
        #expect(OptionReference.markdown.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
