import ComputeTesting
import Foundation
import Jobs
import Personalization
import Testing

@testable import Engine

/// The tables of options and what the engine reads are one and the same.
@Suite(.computing) struct MethodOptionsTests {
    /// A method for a role, its table, and what the engine makes of a job's options, as text.
    struct Method: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let table: OptionTable
        let read: @Sendable (JSONValue?) throws -> String
        /// What the method's own code has by itself.
        let own: String
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let method: Method
        let option: JobOption
        var testDescription: String { "\(method.testDescription) \(option.name)" }
    }

    private static func text(_ options: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(options), as: UTF8.self)
    }

    /// A style is learned from one picture in fewer steps, with nothing to preserve.
    private static func coar(_ role: ConceptRole) -> Method {
        var papers = CoAROptions()
        if role == .style { (papers.iterations, papers.priorPreservation) = (600, false) }
        return Method(
            testDescription: "coar \(role)", table: .coar(role),
            read: { try text(CoAROptions(OptionValues($0, of: .coar(role)))) }, own: try! text(papers))
    }

    static let methods: [Method] = [
        Method(
            testDescription: "arbooth", table: .arbooth,
            read: { try text(ARBoothOptions(OptionValues($0, of: .arbooth))) },
            own: try! text(
                {
                    var papers = ARBoothOptions()
                    papers.learningRate = ARBoothOptions.pocket.learningRate  // the pocket models' own
                    return papers
                }())),
        coar(.subject), coar(.style),
        Method(
            testDescription: "lora", table: .lora, read: { try text(LoRAOptions(OptionValues($0, of: .lora))) },
            own: try! text(LoRAOptions())),
        Method(
            testDescription: "proxy-tuning", table: .proxyTuning,
            read: { "\(ProxyTuningOptions(try OptionValues($0, of: .proxyTuning)))" }, own: "\(ProxyTuningOptions())"),
    ]
    /// All but the supervisor's name, which is the worker's to read.
    static let rows = methods.flatMap { method in
        method.table.rows.filter { $0.name != "supervisor" }.map { Row(method: method, option: $0) }
    }

    @Test(arguments: rows) func everyOptionOfTheTableIsRead(_ row: Row) throws {
        let option = row.option
        let other: JSONValue =
            switch option.values {
            case .model: .string("another")
            case .integers(let range):
                .integer(option.standard == .integer(range.upperBound) ? range.lowerBound : range.upperBound)
            case .numbers(let range), .numbersByScale(let range):
                .number(option.standard == .number(range.upperBound) ? range.lowerBound : range.upperBound)
            case .flag: .bool(option.standard == .bool(false))
            case .choice(let words): .string(words.first { .string($0) != option.standard } ?? "")
            case .text(_, let word): .string("a picture of \(word)")
            case .texts: .array([.string("on the beach")])
            case .countOrJob(let range): .integer(range.lowerBound)
            }
        #expect(
            try row.method.read(.object([option.name: other])) != row.method.read(nil),
            "\(option.name) is in the table and not read")
    }

    @Test(arguments: rows) func whatHoldsWithoutAnOptionMayAlsoBeGiven(_ row: Row) throws {
        guard row.option.standard != .null else { return }
        #expect(try row.method.read(.object([row.option.name: row.option.standard])) == row.method.read(nil))
    }

    @Test(arguments: methods) func thePapersValuesHoldUnlessGiven(_ method: Method) throws {
        #expect(try method.read(nil) == method.own)
    }

    /// Each twice its rank, unless it is given.
    @Test func supervisorAndStudentHaveAnAlphaEach() throws {
        func alphas(_ given: [String: JSONValue]) throws -> [Float] {
            let options = ProxyTuningOptions(try OptionValues(given, of: .proxyTuning))
            return [options.supervisor.alpha, options.student.alpha]
        }
        #expect(try alphas(["supervisor_rank": 4, "rank": 2]) == [8, 4])
        #expect(try alphas(["alpha": 6]) == [32, 6] && alphas(["supervisor_alpha": 6]) == [6, 32])
    }

    /// A share in single precision would draw one more.
    @Test func aFilterDrawsWhatItSays() throws {
        for (share, drawn) in [(0.6, 500), (0.8, 1000)] {
            let given: JSONValue = ["filter": .number(share)]
            #expect(try ProxyTuningOptions(OptionValues(given, of: .proxyTuning)).drawn == drawn)
        }
    }

    @Test func theTableNamesEveryTuning() {
        #expect(
            OptionTable.arbooth.rows.first { $0.name == "tuning" }?.values
                == .choice(ARBoothOptions.Tuning.allCases.map(\.rawValue)))
    }

    @Test(arguments: methods) func whatCannotBeUsedIsListed(_ method: Method) throws {
        let failure = #expect(throws: JobFailure.self) {
            try method.read(.object(["batch": .integer(17), "colour": .bool(true)]))
        }
        #expect(failure?.problems?.map(\.pointer) == ["/options/batch", "/options/colour"])
    }
}
