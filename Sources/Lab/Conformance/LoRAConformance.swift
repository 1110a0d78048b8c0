import Autograd
import Backbones
import Layers
import Personalization
import Tensors

/// A LoRA adapter in PEFT's format on Chameleon's transformer.
struct LoRAConformance {
    private let fixture: ConformanceCase
    private let subject: ChameleonCase
    private let tolerance = 1e-4

    init(_ fixture: ConformanceCase) throws {
        self.fixture = fixture
        subject = try ChameleonCase(fixture, base: fixture.base())
    }

    func report() throws -> ConformanceReport {
        var report = ConformanceReport()
        let adapter = try LoRAAdapter(directory: fixture.folder)
        subject.weights.train { _ in false }
        report.compare(
            "logits_adapter_off", logits().value, try fixture.tensor("logits_adapter_off"), tolerance: tolerance)
        try adapter.attach(to: subject.weights)
        for parameter in adapter.parameters { parameter.isTrainable = true }
        let adapted = logits()
        let loss = subject.loss(adapted, labels: (0..<subject.batch).map(subject.sample))
        report.compare("logits", adapted.value, try fixture.tensor("logits"), tolerance: tolerance)
        report.compare("loss", loss.value, try fixture.tensor("loss"), tolerance: tolerance)
        loss.backward()
        let parameters = Dictionary(uniqueKeysWithValues: adapter.parameters.map { (LoRAAdapter.prefix + $0.name, $0) })
        try report.compareGradients("grad.", of: fixture, tolerance: tolerance) { parameters[$0] }
        adapter.detach(from: subject.weights)
        try adapter.merge(into: subject.weights)
        for name in fixture.recorded.names where name.hasPrefix("merged.") {
            let weight = subject.weights.byName[String(name.dropFirst("merged.".count))]!
            report.compare(name, weight.value, try fixture.tensor(name), tolerance: tolerance)
        }
        report.compare("logits (merged)", logits().value, try fixture.tensor("logits"), tolerance: tolerance)
        return report
    }

    private func logits() -> Variable { subject.model.logits(subject.ids, batch: subject.batch) }
}
