import ComputeTesting
import Foundation
import Testing

@testable import Backbones

@Suite(.computing) struct ByScaleTests {
    @Test(
        arguments: [("2.5", [2.5, 2.5, 2.5]), ("[1,2]", [1, 2, 2]), ("[1,2,3,4]", [1, 2, 3])] as [(String, [Float])])
    func oneNumberIsForAllAndTheLastForTheRest(json: String, values: [Float]) throws {
        let numbers = try JSONDecoder().decode(ByScale.self, from: Data(json.utf8))
        #expect(numbers.values(3) == values)
        #expect(try String(decoding: JSONEncoder().encode(numbers), as: UTF8.self) == json)
    }

    @Test func nothingIsNoNumber() {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ByScale.self, from: Data("[]".utf8)) }
    }
}
