import ComputeTesting
import Foundation
import ModelTesting
import Testing

@testable import Lab

@Suite(.computing) struct OptionSweepTests {
    private let settings = TableSettings(
        subjects: 1, seeds: 1, prompts: 1, picturesPerPrompt: 2, classPictures: 2, iterations: 2, clip: "tiny-clip",
        dino: "tiny-dino")

    private func sweep(
        _ tiny: TinyModels, _ method: String, _ choices: [String], model: String = "pocket-infinity"
    ) throws -> (text: String, said: [String]) {
        var said: [String] = []
        let text = try OptionSweep(
            models: tiny.folder, model: model, folder: tiny.folder + "/sweep", settings: settings, method: method,
            choices: choices
        ) { said.append($0) }.run()
        return (text, said)
    }

    @Test func everyChoiceIsARowAndMeasuredOnce() throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        try withExtendedLifetime(tiny) {
            let first = try sweep(tiny, "arbooth", ["{}", #"{"learning_rate":0.001}"#])
            #expect(first.said.count == 5, "references, the world, untuned and two choices: \(first.said)")
            #expect(
                first.text.contains("| its own options | 1 |")
                    && first.text.contains("| learning rate 0.001 | 1 |"), "\(first.text)")
            #expect(
                first.text.contains(
                    "| more DINO than the first choice | dino.tiny-dino | learning rate 0.001 > its own options |"),
                "\(first.text)")
            #expect(
                try sweep(tiny, "arbooth", [#"{"learning_rate":0.001}"#, #"{"batch":1}"#]).said.count == 1,
                "only the choice that is new")
        }
    }

    @Test func aChoicesTitleSaysItsOptionsAsTheyWereTyped() {
        #expect(
            OptionSweep.title(#"{"learning_rate":3e-4,"iterations":300}"#) == "learning rate 3e-4, iterations 300")
        #expect(
            OptionSweep.title(#"{ "moments" : "8-bit", "scale_learning_rates": [1e-3, 0.5], "distillation": false }"#)
                == "moments 8-bit, scale learning rates [1e-3, 0.5], distillation false")
    }

    /// Both rows are of one supervisor's proxies, of which a student sees those that stay.
    @Test func proxiesAreDroppedAsAChoiceSays() throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        try withExtendedLifetime(tiny) {
            let choices = [#"{"proxies":8}"#, #"{"filter":0.5,"proxies":8}"#]
            let said = try sweep(tiny, "proxy-tuning", choices, model: "pocket-chameleon").said
            #expect(said.count == 5, "references, the world, untuned and two choices: \(said)")
            func files(_ folder: String) throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: "\(tiny.folder)/sweep/\(folder)")
            }
            let supervisors = try files("proxies")
            let supervisor = try #require(supervisors.first)
            #expect(supervisors.count == 1)
            #expect(try files("proxies/\(supervisor)").count { $0.hasSuffix(".png") } == 16)
            #expect(try files("students").count { $0.hasSuffix(".safetensors") } == 2)
        }
    }

    @Test func whatNoJobCouldHaveIsRefused() throws {
        let tiny = try TinyModels()
        try tiny.writeEncoders()
        withExtendedLifetime(tiny) {
            let option = #expect(throws: OptionSweep.Unfit.self) {
                try sweep(tiny, "arbooth", [#"{"learning_rate":-1}"#])
            }
            #expect(option?.description.contains("/options/learning_rate") == true)
            let method = #expect(throws: OptionSweep.Unfit.self) { try sweep(tiny, "coar", ["{}"]) }
            #expect(method?.description.contains("arbooth, lora") == true)
        }
    }
}
