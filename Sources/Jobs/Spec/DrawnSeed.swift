import Foundation

extension JobSpec {
    /// The seed that the job is done with; nil where none was asked for, and of a probe, which needs none. An
    /// evaluation in rounds has one for each, and the first of them here.
    package var seed: Int? {
        switch self {
        case .personalize(let spec): spec.seed
        case .generate(let spec): spec.seed
        case .compose(let spec): spec.drawing.seed
        case .evaluate(let spec): spec.seeds?.first ?? spec.seed
        case .probe: nil
        }
    }

    /// The same job with a seed where it has none: drawn from its id, which is random, so that each of its attempts has
    /// the same one and no other job has.
    package func seeded(by job: UUID) -> JobSpec {
        let bytes = job.uuid
        // The first 48 bits: all of them are random, and any program's numbers hold them.
        return seeded([bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5].reduce(0) { $0 << 8 | Int($1) })
    }

    /// The same job with this seed where it has none.
    package func seeded(_ drawn: Int) -> JobSpec {
        guard seed == nil else { return self }
        switch self {
        case .personalize(var spec):
            spec.seed = drawn
            return .personalize(spec)
        case .generate(var spec):
            spec.seed = drawn
            return .generate(spec)
        case .compose(var spec):
            spec.drawing.seed = drawn
            return .compose(spec)
        case .evaluate(var spec):
            spec.seed = drawn
            return .evaluate(spec)
        case .probe: return self
        }
    }
}
