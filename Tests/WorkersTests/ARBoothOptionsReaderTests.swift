import Foundation
import Jobs
import Personalization
import Testing

@testable import Workers

/// The table of options and what the engine reads are one and the same.
@Suite struct ARBoothOptionsReaderTests {
    private func read(_ given: JSONValue?) throws -> ARBoothOptions { try ARBoothOptionsReader(given).options() }

    @Test(arguments: OptionTable.arbooth.rows) func everyOptionOfTheTableIsRead(_ option: JobOption) throws {
        let other: JSONValue = switch option.values {
        case .integers(let range): .integer(option.standard == .integer(range.upperBound) ? range.lowerBound : range.upperBound)
        case .numbers(let range), .numbersByScale(let range): .number(option.standard == .number(range.upperBound) ? range.lowerBound : range.upperBound)
        case .flag: .bool(option.standard == .bool(false))
        case .choice(let words): .string(words.first { .string($0) != option.standard } ?? "")
        }
        #expect(try read(.object([option.name: other])) != read(nil), "\(option.name) is in the table and not read")
    }

    @Test(arguments: OptionTable.arbooth.rows) func whatHoldsWithoutAnOptionMayAlsoBeGiven(_ option: JobOption) throws {
        guard option.standard != .null else { return }
        #expect(try read(.object([option.name: option.standard])) == read(nil))
    }

    @Test func thePapersValuesHoldUnlessGiven() throws {
        var papers = ARBoothOptions()
        papers.learningRate = try read(nil).learningRate  // the pocket models' own
        #expect(try read(nil) == papers)
        #expect(OptionTable.arbooth.rows.first { $0.name == "tuning" }?.values == .choice(ARBoothOptions.Tuning.allCases.map(\.rawValue)))
    }

    @Test func whatCannotBeUsedIsListed() throws {
        let failure = #expect(throws: JobFailure.self) { try read(.object(["batch": .integer(17), "colour": .bool(true)])) }
        #expect(failure?.problems?.map(\.pointer) == ["/options/batch", "/options/colour"])
    }
}
