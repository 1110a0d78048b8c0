import Catalogue
import Checkpoints
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

    /// What is given goes before; what no prompt can say is left out, and told.
    @Test(arguments: AdapterFormat.allCases) func theTriggerComesBackFromOtherForms(format: AdapterFormat) throws {
        let models = try TinyModels()
        let model = try models.addSDXL(from: releases!)
        let (file, out) = (models.folder + "/rex.safetensors", models.folder + "/out.safetensors")
        let changes = try AdapterReader("\(releases!)/adapters-sdxl/u1-peft").read().changes
        func imported(_ word: String, _ trigger: String? = nil) throws -> (AdapterImport.Outcome, word: String?) {
            try AdapterWriter(changes, words: [(concept: "max", word: word)]).write(format, to: out)
            let concept = AdapterImport.Concept(name: "rex", role: .subject, className: "dog", trigger: trigger)
            let outcome = try AdapterImport(model: model).write(out, as: concept, to: file)
            return (outcome, try Adapter(path: file).known[0].word)
        }
        let plain = try imported("sks dog")
        #expect(plain.word == "sks dog" && plain.0.trigger == "sks dog" && plain.0.warnings == [])
        #expect(try imported("sks dog", "ohwx").word == "ohwx")
        let strange = try imported("sks\ndog")
        #expect(strange.word == nil && strange.0.trigger == nil)
        #expect(strange.0.warnings.count == 1 && strange.0.warnings[0].contains("cannot stand in a prompt"))
    }
}
