import Backbones
import Jobs

/// Adds up what a job takes, phase by phase.
struct CostSheet {
    /// How many times the largest operation's bytes a pass holds that records nothing: what it reads, what stands
    /// around it, and what the allocator keeps of other sizes.
    private static let around = 3.5

    private var work = Work()
    /// Work that no shape tells: starts of a process.
    private var starts = 0.0
    /// The most beside the weights.
    private var peakBytes = 0.0
    /// What stays from its phase to the end: weights, moments.
    private var residentBytes = 0.0
    private var diskBytes = 0.0

    /// The engine begins.
    mutating func start() { starts += 1 }

    /// Weights are read, and stay.
    mutating func load(_ weights: WeightSizes) {
        work[.bytes] += Double(weights.storedBytes + weights.residentBytes)
        residentBytes += Double(weights.residentBytes)
    }

    /// Weights are read once more, into the memory of those before.
    mutating func reload(_ weights: WeightSizes) {
        work[.bytes] += Double(weights.storedBytes + weights.residentBytes)
    }

    /// A pass that records nothing, so many times.
    mutating func compute(_ pass: Work, times: Double = 1) {
        guard times > 0 else { return }
        work += times * pass
        note(pass.kept + CostSheet.around * pass.largest)
    }

    /// Pictures drawn in batches.
    mutating func draw(_ pictures: Int, in batch: Int = 8, _ drawing: (Int) -> Work) {
        compute(drawing(min(batch, pictures)), times: Double(pictures / max(1, min(batch, pictures))))
        if pictures > batch, pictures % batch > 0 { compute(drawing(pictures % batch)) }
    }

    /// Steps of learning: passes there and back, one after the other, and an update.
    /// - Parameters:
    ///   - share: of the weights that learn.
    ///   - numbers: that learn.
    mutating func learn(_ passes: [Work], share: Double, numbers: Int, steps: Int) {
        for pass in passes { work += Double(steps) * pass.thereAndBack(learning: share).rounded }
        var update = Work()
        update[.bytes] = 28 * Double(numbers)
        work += Double(steps) * update
        // Each number's gradient and two moments.
        residentBytes += 12 * Double(numbers)
        note(passes.map { $0.held + CostSheet.around * $0.largest }.max() ?? 0)
        // The last checkpoint and the one being written.
        diskBytes += 2 * 12 * Double(numbers) + 4 * Double(numbers)
    }

    /// Pictures are written, and once more on a sheet: PNG takes about half of them.
    mutating func write(pictures: Int, of pixels: Int) { diskBytes += 3 * Double(pictures) * Double(pixels) }

    private mutating func note(_ bytes: Double) { peakBytes = max(peakBytes, bytes) }

    var cost: JobCost {
        var amounts = Dictionary(uniqueKeysWithValues: work.amounts.map { ($0.key.rawValue, $0.value) })
        if starts > 0 { amounts[HostMeasurement.starts] = starts }
        return JobCost(work: amounts, memoryBytes: Int(residentBytes + peakBytes), diskBytes: Int(diskBytes))
    }
}
