import Autograd
import Backbones
import Engine
import Foundation
import Layers
import LittleWorld
import Tensors

/// Times the pretraining steps of an embedded model's stage, whole as they are run, beside the fastest matrix product
/// of the same minutes: how much of what the processor can do is training.
///
/// What a step must compute is counted from the shapes of its matrix products, convolutions and attention, forward and
/// backward; the optimizer's own products and everything pointwise count as nothing.
package struct PretrainBenchmark {
    /// One line of JSON; rates are 10⁹ operations a second, `rss_mb` the process's peak memory so far, in MiB.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct Figure: Codable {
        let model: String
        let stage: String
        let batch: Int
        let pictures_per_s: Double
        /// The best step and the median, painting and optimizer included.
        let step_ms: Double
        let median_ms: Double
        let painting_ms: Double
        let optimizer_ms: Double
        /// Counted operations of a picture, in 10⁹.
        let gflop_per_picture: Double
        let gflops: Double
        let peak_gflops: Double
        let share_of_peak: Double
        /// The same by processor time, of the step and of the peak: what is left when others use the machine too. With
        /// several threads, waiting for each other counts.
        let cpu_share_of_peak: Double
        let threads: Int
        let rss_mb: Int
    }

    /// One operation's part of a step.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    package struct OperationFigure: Codable {
        let operation: String
        let forward_ms: Double
        let backward_ms: Double
        let gflop: Double
    }

    private let model: Pretraining.Model
    private let options: PretrainingOptions
    private let stage: any PretrainingStage

    /// Fresh weights: what they are does not change how long a step takes.
    package init(_ model: Pretraining.Model, _ stage: Pretraining.Stage, batch: Int) throws {
        self.model = model
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-bench.\(getpid())").path
        options = PretrainingOptions(
            folder: folder, steps: 1, batch: batch, learningRate: 1e-4, seed: 1, reportEvery: 1, seconds: nil)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try options.writeVocabulary()
        self.stage = try model.pretraining(options).untrained(stage)
    }

    /// In the precision that pretraining learns in: two steps to warm up, then `rounds`, each after a product's peak.
    package func run(rounds: Int) -> (figure: Figure, operations: [OperationFigure]) {
        Pretraining.computing { measure(rounds: max(rounds, 1)) }
    }

    private func measure(rounds: Int) -> (Figure, [OperationFigure]) {
        let clock = ContinuousClock()
        let profile = OperationProfile()
        // The first step fills the heap; the second is the profile's.
        _ = step(0, clock)
        let profiled = OperationProfile.$current.withValue(profile) { step(1, clock) }
        var steps = [profiled]
        var peak = KernelPeak()
        for round in 0..<rounds {
            peak.measure(clock)
            steps.append(step(2 + round, clock))
        }
        let painting = (0..<3).map { round in
            clock.measure { _ = options.scenes(step: round, seed: 1).painted(size: options.pictureSize) }
        }.min()!
        let best = steps.map(\.whole).min()!
        let median = steps.map(\.whole).sorted()[steps.count / 2]
        let rate = profile.operations / (best / .seconds(1)) / 1e9
        let processorRate = profile.operations / (steps.map(\.processor).min()! / .seconds(1)) / 1e9
        let figure = Figure(
            model: model.rawValue, stage: stage.name, batch: options.batch,
            pictures_per_s: Double(options.batch) / (best / .seconds(1)), step_ms: best / .milliseconds(1),
            median_ms: median / .milliseconds(1), painting_ms: painting / .milliseconds(1),
            optimizer_ms: steps.map(\.optimizer).min()! / .milliseconds(1),
            gflop_per_picture: profile.operations / Double(options.batch) / 1e9, gflops: rate, peak_gflops: peak.rate,
            share_of_peak: rate / peak.rate, cpu_share_of_peak: processorRate / peak.processorRate,
            threads: threadCount, rss_mb: StepBenchmark.peakMemory)
        return (figure, operations(of: profile))
    }

    private func step(_ number: Int, _ clock: ContinuousClock) -> StepTimes {
        let processor = ProcessorTime.now
        var times = StepTimes()
        times.whole = clock.measure {
            _ = stage.accumulate(step: number)
            times.optimizer = clock.measure { stage.optimizer.update() }
        }
        times.processor = ProcessorTime.now - processor
        return times
    }

    /// The costliest first.
    private func operations(of profile: OperationProfile) -> [OperationFigure] {
        profile.costs.sorted { $0.value.forward + $0.value.backward > $1.value.forward + $1.value.backward }.map {
            OperationFigure(
                operation: $0.key, forward_ms: $0.value.forward / .milliseconds(1),
                backward_ms: $0.value.backward / .milliseconds(1), gflop: $0.value.operations / 1e9)
        }
    }
}

/// What a step took: by the clock, the optimizer's part of it, and of the processor by all threads.
private struct StepTimes {
    var whole = Duration.zero
    var optimizer = Duration.zero
    var processor = Duration.zero
}
