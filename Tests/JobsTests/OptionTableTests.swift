import Jobs
import Testing

/// What a method's options may be, and what is told to who gives others.
@Suite struct OptionTableTests {
    private func problems(_ text: String, in table: OptionTable = .arbooth) throws -> [Problem] {
        table.problems(in: try JSONValue(json: .init(text.utf8)))
    }

    private static let tables =
        ConceptRole.allCases.flatMap { role in PersonalizationMethod.allCases.map { $0.options(for: role) } }
        + ModelFamily.allCases.compactMap(\.drawing)

    @Test(arguments: tables) func whatHoldsByItselfIsAllowed(_ table: OptionTable) {
        #expect(Set(table.rows.map(\.name)).count == table.rows.count)
        for option in table.rows where option.standard != .null {
            #expect(option.accepts(option.standard), "\(option.name)")
        }
    }

    @Test func anUnknownOptionIsToldTheNamesThatWouldDo() throws {
        let problem = try #require(try problems(#"{"a/b~c":1}"#).first)
        #expect(problem.pointer == "/options/a~1b~0c" && problem.found == "an unknown option")
        for option in OptionTable.arbooth.rows { #expect(problem.allowed.contains(option.name)) }
    }

    @Test(arguments: [
        (#"{"iterations":0}"#, "a whole number from 1 to 20000"),
        (#"{"iterations":2.5}"#, "a whole number from 1 to 20000"),
        (#"{"iterations":"600"}"#, "a whole number from 1 to 20000"),
        (#"{"iterations":null}"#, "a whole number from 1 to 20000"),
        (#"{"beta1":1}"#, "a number from 0.0 to 0.9999"), (#"{"beta1":[0.9]}"#, "a number from 0.0 to 0.9999"),
        (#"{"distillation":1}"#, "true or false"),
        (#"{"tuning":"some"}"#, "cross-attention+feed-forward, full"), (#"[]"#, "an object"), ("7", "an object"),
    ]) func aValueOutOfRangeIsToldTheRange(_ options: String, _ allowed: String) throws {
        #expect(try problems(options).map(\.allowed) == [allowed])
    }

    @Test(arguments: [
        "{}", #"{"iterations":1,"beta1":0,"distillation":false,"tuning":"full"}"#, #"{"learning_rate":1}"#,
    ])
    func whatIsInRangeIsAllowed(_ options: String) throws { #expect(try problems(options).isEmpty) }

    @Test(arguments: [
        ("3", true), ("[3,2.5,1]", true), ("[]", false), (#"[3,"x"]"#, false), ("[3,[2]]", false), ("-1", false),
        ("true", false),
    ])
    func guidanceIsANumberOrAListOfThem(_ value: String, _ isAllowed: Bool) throws {
        #expect(try problems(#"{"guidance":\#(value)}"#, in: .nextScaleDrawing).isEmpty == isAllowed)
    }
}
