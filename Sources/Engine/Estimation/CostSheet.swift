import Backbones
import Jobs

/// The numbers that learn, and what is kept of each.
struct LearningNumbers {
    /// Of the weights, those in products.
    var share = 0.0
    var count = 0
    /// Bytes of what the optimizer keeps of a number: two moments of its gradients, and Prodigy more.
    var momentBytes = 8.0
    /// Of all gradients, those that are in memory at a time.
    var gradientShare = 1.0
    /// What is kept of the frozen model's pictures and of what it said of them.
    var taughtBytes = 0.0
    /// What weights grow by that their file has in bfloat16, and that learn in single precision.
    var widenedBytes = 0
    /// Whether they are weights of the model's: what was learnt takes no memory of its own then.
    var areWeights = false
}

/// Adds up what a job takes, phase by phase.
struct CostSheet {
    private var work = Work()
    /// Work that no shape tells: starts of a process.
    private var starts = 0.0
    /// The most beside the weights.
    private var peakBytes = 0.0
    /// What stays from its phase to the end: weights, moments.
    private var residentBytes = 0.0
    /// The same of adapters.
    private var adapterBytes = 0.0
    /// What was learnt so far.
    private var learntBytes = 0.0
    private var diskBytes = 0.0

    /// The engine begins.
    mutating func start() { starts += 1 }

    /// Weights are read, and stay.
    mutating func load(_ weights: WeightSizes) {
        work[.bytes] += Double(weights.storedBytes + weights.residentBytes)
        residentBytes += Double(weights.residentBytes)
    }

    /// What was learnt of a concept is read, once to see that all of it are numbers, and stays.
    /// - Parameter alone: in the memory of what was learnt of the concept before.
    mutating func load(_ adapter: AdapterSizes, alone: Bool = false) {
        // Two bytes in the file, four in memory.
        work[.bytes] += 12 * Double(adapter.numbers)
        let bytes = Double(adapter.residentBytes)
        adapterBytes = alone ? max(adapterBytes, bytes) : adapterBytes + bytes
    }

    /// Weights are read of which next to nothing stays.
    mutating func read(_ weights: WeightSizes) {
        work[.bytes] += Double(weights.storedBytes + weights.residentBytes)
        note(Double(weights.residentBytes))
    }

    /// Weights are read once more, into the memory of those before.
    mutating func reload(_ weights: WeightSizes) {
        work[.bytes] += Double(weights.storedBytes + weights.residentBytes)
    }

    /// A pass that records nothing, so many times.
    mutating func compute(_ pass: Work, times: Double = 1) {
        guard times > 0 else { return }
        work += times * pass
        note(pass.passing)
    }

    /// Pictures drawn in batches.
    mutating func draw(_ pictures: Int, in batch: Int = PictureSeries.batch, _ drawing: (Int) -> Work) {
        guard pictures > 0 else { return }
        compute(drawing(min(batch, pictures)), times: Double(pictures / min(batch, pictures)))
        if pictures > batch, pictures % batch > 0 { compute(drawing(pictures % batch)) }
    }

    /// Steps of learning: passes there and back, one after the other, and an update.
    mutating func learn(_ passes: [Work], _ numbers: LearningNumbers, steps: Int) {
        for pass in passes { work += Double(steps) * pass.thereAndBack(learning: numbers.share).rounded }
        let count = Double(numbers.count)
        var update = Work()
        update[.bytes] = (12 + 2 * numbers.momentBytes) * count
        work += Double(steps) * update
        residentBytes += Double(numbers.widenedBytes)
        let activations = passes.map { $0.held + $0.passing }.max() ?? 0
        note(activations + numbers.taughtBytes + (4 * numbers.gradientShare + numbers.momentBytes) * count)
        // Beside what is drawn from now on there is what was learnt, as its file has it.
        if !numbers.areWeights { learntBytes += 4 * count }
        // The last two checkpoints and the one being written; what is written later has the room of the third.
        diskBytes += 3 * (4 + numbers.momentBytes) * count
    }

    /// Pictures stay to the end.
    mutating func hold(pictures: Int, of pixels: Int) { residentBytes += CostSheet.bytes(ofHeld: pictures, of: pixels) }

    /// Of pictures that are learnt from: three of a pixel, and at most one of what the network's encoder makes of it.
    static func bytes(ofHeld pictures: Int, of pixels: Int) -> Double { 4 * Double(pictures) * Double(pixels) }

    /// Pictures are written: PNG takes about half of their bytes.
    mutating func write(pictures: Int, of pixels: Int) {
        let bytes = 3 * Double(pictures) * Double(pixels)
        work[.pixels] += bytes
        diskBytes += bytes / 2
    }

    /// A sheet of pictures is written. In memory are these, the sheet and, twice, its file.
    mutating func write(sheetOf pictures: Int, of pixels: Int) {
        write(pictures: pictures, of: pixels)
        note(9 * Double(pictures) * Double(pixels))
    }

    private mutating func note(_ bytes: Double) { peakBytes = max(peakBytes, learntBytes + bytes) }

    var cost: JobCost {
        var amounts = Dictionary(uniqueKeysWithValues: work.amounts.map { ($0.key.rawValue, $0.value) })
        if starts > 0 { amounts[HostMeasurement.starts] = starts }
        return JobCost(
            work: amounts, memoryBytes: Int(residentBytes + adapterBytes + peakBytes), diskBytes: Int(diskBytes))
    }
}
