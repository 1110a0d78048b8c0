import Backbones
import Catalogue
import Checkpoints
import Foundation
import Jobs

/// What an installed model computes and holds, by its configuration and its files' headers: no weight is read.
struct ModelSizes {
    let description: ModelDescription
    let work: any BackboneWork
    /// What its tokenizer and transformer hold in memory once they are loaded.
    private(set) var weights: WeightSizes
    /// Of the pictures drawn.
    let size: ModelDescription.Size

    /// - Parameter size: the shape that pictures are to be drawn in; nil: its usual one.
    /// - Throws: what is wrong with its description, its configuration or its files.
    init(directory: String, size: ModelDescription.Size?) throws {
        description = try ModelFolder.written(directory) ?? ModelFolder.derived(directory)
        let usual = description.pictures.first ?? .init(width: 0, height: 0)
        self.size = size ?? usual
        work = try LoadedModel.work(
            directory: directory, family: description.family, size: size == usual ? nil : size)
        weights = WeightSizes(ModelFolder(directory))
    }

    var pixels: Int { size.pixels }

    /// The same with every matrix in a file of so many bytes a number.
    func mapping(_ bytes: Int) -> ModelSizes {
        var other = self
        other.weights = weights.mapping(bytes)
        return other
    }

    /// Whether a picture is computed twice for a guidance; less than 1 leads nowhere in some families.
    private func isGuiding(_ guidance: Double) -> Bool {
        switch description.family {
        case .diffusion, .llamagen: guidance > 1
        default: guidance != 1
        }
    }

    /// Whether a job's options, or the model itself, have pictures drawn with their prompt and without.
    func drawing(_ options: [String: JSONValue] = [:]) -> DrawingWork {
        let guidance = options["guidance"] ?? description.sampling["guidance"]
        let numbers = (guidance?.array ?? guidance.map { [$0] } ?? []).compactMap(\.double)
        return DrawingWork(
            isGuided: numbers.contains(where: isGuiding), steps: options["steps"]?.integer, weights: weights.held)
    }
}

extension Work.Weights {
    /// Bytes that each number grows by where they come to be in single precision.
    var widening: Int {
        switch self {
        case .single: 0
        case .rounded: 2
        case .eightBit: 3
        }
    }
}

/// What weights take of a disk and of memory.
struct WeightSizes: Equatable {
    /// In files, which are mapped.
    var storedBytes = 0
    /// Of those, what is multiplied with as it lies.
    var mappedBytes = 0
    private var mappedNumbers = 0
    /// In files, of matrices that are multiplied with, whether they are mapped or not.
    private var matrixBytes = 0
    private var matrixNumbers = 0
    /// In memory, what is mapped among it.
    var residentBytes = 0
    /// How many numbers there are.
    var numbers = 0
    /// How most of it is held.
    var held: Work.Weights {
        guard 2 * mappedBytes > storedBytes else { return .single }
        return 2 * mappedBytes > 3 * mappedNumbers ? .rounded : .eightBit
    }

    init() {}

    /// A matrix that its file has in bfloat16 or in eight bits stays there; of every other weight there is a copy in
    /// single precision, and the file's pages are given back.
    init(_ folder: ModelFolder) {
        for file in folder.weights where file.problem == nil {
            guard let checkpoint = try? Checkpoint.open("\(folder.folder)/\(file.name)") else { continue }
            storedBytes += file.bytes
            for name in checkpoint.names {
                guard let tensor = try? checkpoint.tensor(name) else { continue }
                numbers += tensor.count
                let bytes = (tensor.type?.size ?? 4) * tensor.count
                residentBytes += tensor.isMapped ? bytes : 4 * tensor.count
                guard tensor.isMatrix else { continue }
                matrixBytes += bytes
                matrixNumbers += tensor.count
                guard tensor.isMapped else { continue }
                mappedBytes += bytes
                mappedNumbers += tensor.count
            }
        }
    }

    /// The same with every matrix mapped from a file that holds a number of it in so many bytes.
    func mapping(_ bytes: Int) -> WeightSizes {
        var sizes = self
        sizes.matrixBytes = bytes * matrixNumbers
        sizes.storedBytes += sizes.matrixBytes - matrixBytes
        sizes.residentBytes += sizes.matrixBytes - mappedBytes - 4 * (matrixNumbers - mappedNumbers)
        (sizes.mappedBytes, sizes.mappedNumbers) = (sizes.matrixBytes, matrixNumbers)
        return sizes
    }

    static func + (a: WeightSizes, b: WeightSizes) -> WeightSizes {
        var sum = a
        sum.storedBytes += b.storedBytes
        sum.mappedBytes += b.mappedBytes
        sum.mappedNumbers += b.mappedNumbers
        sum.matrixBytes += b.matrixBytes
        sum.matrixNumbers += b.matrixNumbers
        sum.numbers += b.numbers
        sum.residentBytes += b.residentBytes
        return sum
    }
}
