import Catalogue
import ComputeTesting
import FileTesting
import Foundation
import Jobs
import ModelTesting
import Testing

@testable import Engine
@testable import Personalization

private let releases = sharedFolder("releases")

/// The words another program's adapter was trained with stand for its concept.
@Suite(.computing, .enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct AdapterTriggerTests {
    @Test func theTriggerIsKeptWithTheConcept() throws {
        let models = try TinyModels()
        let model = try models.addSDXL(from: releases!)
        func known(_ trigger: String?, _ role: ConceptRole = .subject) throws -> Adapter.KnownConcept {
            let file = "\(models.folder)/\(role)-\(trigger == nil ? "plain" : "trigger").safetensors"
            try AdapterImport(model: model).write(
                "\(releases!)/adapters-sdxl/u1-peft",
                as: .init(name: "rex", role: role, className: "dog", trigger: trigger), to: file)
            let adapter = try Adapter(path: file)
            #expect(adapter.known.count == 1)
            return adapter.known[0]
        }
        #expect(try known("sks dog").word == "sks dog")
        #expect(try known(nil).word == nil)
        #expect(try known("in ink", .style).word == "in ink")
        #expect(try known(nil, .style).word == ConceptSpellings.word(of: .style))
    }
}
