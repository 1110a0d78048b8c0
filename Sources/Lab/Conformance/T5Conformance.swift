import Backbones
import Layers

/// T5's encoder and its tokenizer.
struct T5Conformance {
    private let fixture: ConformanceCase
    init(_ fixture: ConformanceCase) { self.fixture = fixture }

    func report() throws -> ConformanceReport {
        let weights = Weights(.checkpoint(try fixture.weights()))
        let encoder = T5Encoder(try fixture.decodedConfiguration(as: T5Encoder.Configuration.self), weights)
        try weights.verify()
        var report = ConformanceReport()
        let ids = try fixture.recorded.integers("input_ids")
        let batch = try fixture.recorded.entry("input_ids").shape[0]
        let states = encoder.states(
            ids.map(Int32.init), batch: batch, lengths: try fixture.lengths("attention_mask"))
        for (index, state) in states.enumerated() where fixture.has("hidden_states.\(index)") {
            report.compare(
                "hidden_states.\(index)", state.value, try fixture.tensor("hidden_states.\(index)"), tolerance: 1e-4)
        }
        report.compare(
            "last_hidden_state", states.last!.value, try fixture.tensor("last_hidden_state"), tolerance: 1e-4)
        let long = try fixture.recorded.integers("long_input_ids").map(Int32.init)
        let longState = encoder.states(long, batch: 1, lengths: [long.count]).last!.value
        report.compare(
            "long_last_hidden_state", longState, try fixture.tensor("long_last_hidden_state"), tolerance: 1e-4)
        try compareTokenizer(&report)
        return report
    }

    private func compareTokenizer(_ report: inout ConformanceReport) throws {
        let path = "\(fixture.folder)/tokenizer.json"
        guard let cases = try? TokenizerCases(path: "\(fixture.folder)/tokenizer_cases.json") else { return }
        let tokenizer = try UnigramTokenizer(path: path)
        for (index, text) in cases.strings.enumerated() {
            report.compareExactly("tokenizer.\(index)", tokenizer.encode(text).map(Int.init), cases.ids[index])
        }
    }
}
