import Jobs

/// Whether a job takes more memory than there is, and what is to be said of that.
package struct MemoryProblem {
    private let needed: Int
    fileprivate let largest: Int
    /// Where so much may be taken.
    private let place: String
    private let alternatives: [JobCost.Alternative]

    /// Of a job that any worker may do, as it was estimated from what was counted.
    /// - Parameter largest: the most that an engine may take of any worker, in bytes.
    package init(_ estimate: JobEstimate, of cost: JobCost, largest: Int) {
        (needed, self.largest, place) = (estimate.memoryBytes, largest, "of any worker")
        // What corrects the job corrects its smaller forms.
        let correction = Double(estimate.memoryBytes) / Double(max(1, cost.memoryBytes))
        alternatives = (cost.alternatives ?? []).map {
            let bytes = (correction * Double($0.memoryBytes)).rounded()
            return JobCost.Alternative(change: $0.change, memoryBytes: Int(min(bytes, 1e18)))
        }
    }

    /// Of a job that this host's engine alone is to do.
    /// - Parameter bytes: the most that it may take.
    package init(_ cost: JobCost, here bytes: Int) {
        (needed, largest, alternatives) = (cost.memoryBytes, bytes, cost.alternatives ?? [])
        place = "here"
    }

    /// Nil where it may fit: no job is refused that could be done.
    package var problem: Problem? {
        guard !Self.fits(needed, into: largest) else { return nil }
        return Problem("", found: "a job that takes about \(Self.text(needed)) of memory", allowed: allowed)
    }

    /// What is to be said of a job that takes more than there is, and may fit all the same; nil of any other.
    package var warning: String? {
        guard needed > largest, Self.fits(needed, into: largest) else { return nil }
        let remedy = fitting.isEmpty ? "" : "; it would fit with \(remedies)"
        return """
            it may not fit: it takes about \(Self.text(needed)) of memory, and \(Self.text(largest)) is all that an \
            engine may take \(place)\(remedy)
            """
    }

    private var allowed: String {
        let there = "at most \(Self.text(largest)), all that an engine may take \(place)"
        return fitting.isEmpty ? "\(there); no smaller form of it fits" : "\(there); it would fit with \(remedies)"
    }

    private var remedies: String { fitting.phrase { $0.memoryBytes } }

    /// The nearest smaller forms that fit without the tolerance.
    fileprivate var fitting: [JobCost.Alternative] { alternatives.nearest(within: largest) { $0.memoryBytes } }

    /// Whether so much may fit, for an estimate may be a quarter too high: up to a third more than there is.
    /// `atelier.fits` is the same in SQL.
    static func fits(_ bytes: Int, into largest: Int) -> Bool { bytes / 4 * 3 <= largest }

    /// Whether what was counted fits however it is corrected, which is by ten times at most (`correct_estimates`).
    static func fitsSurely(_ cost: JobCost, into largest: Int) -> Bool { cost.memoryBytes <= largest / 8 }

    /// `1.5 GiB`, `300 MiB`.
    static func text(_ bytes: Int) -> String {
        let mebibytes = Double(bytes) / 1_048_576
        return mebibytes < 1000
            ? "\(max(1, Int(mebibytes.rounded()))) MiB" : "\((mebibytes / 1024 * 10).rounded() / 10) GiB"
    }
}

extension [JobCost.Alternative] {
    /// The nearest forms that take at most `largest` of `bytes`, three at most, one for each thing that they change.
    func nearest(within largest: Int, of bytes: (JobCost.Alternative) -> Int?) -> Self {
        var places: Set<Substring> = []
        let fitting = filter {
            (bytes($0) ?? .max) <= largest && places.insert(Self.place(of: $0)).inserted
        }
        return Array(fitting.prefix(3))
    }

    /// What each says otherwise, and what it takes of `bytes`.
    func phrase(of bytes: (JobCost.Alternative) -> Int?) -> String {
        map { "\($0.change) (about \(MemoryProblem.text(bytes($0) ?? 0)))" }.joined(separator: ", or ")
    }

    /// What a form changes, without the value: `/size`, `/options {"moments":`.
    private static func place(of form: JobCost.Alternative) -> Substring {
        form.change[..<(form.change.lastIndex(of: " ") ?? form.change.endIndex)]
    }
}

extension EstimateAnswer {
    /// Says whether the job fits, and what would where it does not; warns where it may not.
    package mutating func compare(with memory: MemoryProblem) {
        let fits = memory.problem == nil
        (largestMemoryBytes, self.fits) = (memory.largest, fits)
        alternatives = fits ? nil : memory.fitting
        if let warning = memory.warning { warn(of: [warning]) }
    }
}
