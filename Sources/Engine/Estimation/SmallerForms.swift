import Catalogue
import Checkpoints
import Foundation
import Jobs

/// What of a job may be said otherwise so that it takes less memory, or keeps less on the disk: its model with weights
/// in fewer bits, moments in 8 bits, fewer references a step, fewer prior pictures at once, half the pictures, a
/// smaller one, another model of its family.
extension JobCounting {
    /// Those that take less than the job itself, the one that changes it least first.
    func smallerForms(
        of body: JSONValue, with adapters: [String: InspectionOrder.Adapter] = [:], than cost: JobCost
    ) -> [JobCost.Alternative] {
        let others = candidates(body).compactMap { change, smaller -> JobCost.Alternative? in
            guard let spec = try? JobSpec(smaller), let found = self.cost(of: spec, with: adapters) else { return nil }
            return JobCost.Alternative(change: change, memoryBytes: found.memoryBytes, diskBytes: found.diskBytes)
        }
        let forms = addedAgain(of: body, in: .bf16) + others + addedAgain(of: body, in: .int8)
        return forms.filter { $0.memoryBytes < cost.memoryBytes || ($0.diskBytes ?? .max) < cost.diskBytes }
    }

    /// The job on its own model, made anew of its release with weights in fewer bits: another model for what was learnt
    /// on the one there is. In eight bits it draws alone.
    private func addedAgain(
        of body: JSONValue, in precision: CheckpointConversion.Precision
    ) -> [JobCost.Alternative] {
        guard let spec = try? JobSpec(body), spec.mentions.isEmpty, precision != .int8 || spec.kind != .personalize,
            let name = spec.model, let model = models.model(name, size: spec.size), models.isOfRelease(name),
            let found = self.cost(of: spec, on: model.mapping(precision == .int8 ? 1 : 2))
        else { return [] }
        let change = "/model \(name) added again with --precision \(precision.rawValue)"
        return [JobCost.Alternative(change: change, memoryBytes: found.memoryBytes, diskBytes: found.diskBytes)]
    }

    private func candidates(_ body: JSONValue) -> [(change: String, body: JSONValue)] {
        guard case .object(let members) = body, let name = members["model"]?.string,
            let model = models.model(name)?.description
        else { return [] }
        var found: [(String, JSONValue)] = []
        func add(_ member: String, _ value: JSONValue, _ text: String) {
            found.append(("/\(member) \(text)", .object(members.merging([member: value]) { $1 })))
        }
        if case .object(let options) = members["options"] ?? .object([:]), members["method"] != nil {
            let smaller: [(String, JSONValue)] = [
                ("moments", "8-bit"), ("batch", 1), ("supervisor_batch", 1), ("prior_pictures", 4),
            ]
            for (option, value) in smaller {
                add("options", .object(options.merging([option: value]) { $1 }), "{\"\(option)\": \(value.text)}")
            }
        }
        let pictures = members["images_per_prompt"]?.integer ?? 1
        if pictures > 1 { add("images_per_prompt", .integer(pictures / 2), "\(pictures / 2)") }
        for size in model.pictures.dropFirst().sorted(by: { $0.pixels > $1.pixels }) {
            add("size", .string(size.text), size.text)
        }
        if let least = model.sides?.least { add("size", .string("\(least)x\(least)"), "\(least)x\(least)") }
        if pictures / 2 > 1 { add("images_per_prompt", .integer(1), "1") }
        for other in others(of: body, like: model) { add("model", .string(other), other) }
        return found
    }

    /// Other models that the job can be done on: what it uses was learnt on its own, and not every one draws its size,
    /// or what its supervisor draws.
    private func others(of body: JSONValue, like model: ModelDescription) -> [String] {
        guard let spec = try? JobSpec(body), spec.mentions.isEmpty else { return [] }
        let choice = models.choice
        return models.names(like: model).filter {
            (try? JobSpec(body.adding("model", .string($0)), models: choice)) != nil
        }
    }
}
