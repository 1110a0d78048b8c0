import Autograd
import Backbones
import Foundation
import Images
import Layers
import LittleWorld
import Randomness
import Tensors

/// A stage of pretraining: one step, and what to show.
package protocol PretrainingStage: AnyObject {
    /// `tokenizer`, `transformer`, `classifier`: names its files in the run folder.
    var name: String { get }
    var optimizer: any Optimizer { get }
    /// Accumulates gradients for step `step` and returns named losses; the first is the one plotted.
    func accumulate(step: Int) -> [(name: String, value: Float)]
    /// Pictures to look at.
    func sheet() -> Picture
}

/// Runs a stage to its end or its time limit, from its last checkpoint if the folder has one.
struct PretrainingRun {
    let options: PretrainingOptions
    let stage: any PretrainingStage

    private var checkpoint: String { "\(options.folder)/\(stage.name).checkpoint.safetensors" }
    private var losses: LossTable { LossTable(path: "\(options.folder)/\(stage.name).losses.csv") }

    func run() throws {
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        if FileManager.default.fileExists(atPath: checkpoint) {
            try OptimizerState(path: checkpoint).restore(stage.optimizer)
            log("\(stage.name): resumed at step \(stage.optimizer.step)")
        }
        let rate = LearningRateSchedule(peak: options.learningRate, warmup: 100, steps: options.steps)
        let start = Date()
        let firstStep = stage.optimizer.step
        var recent: [String: (sum: Float, count: Int)] = [:]
        var order: [String] = []
        while stage.optimizer.step < options.steps {
            let step = stage.optimizer.step
            stage.optimizer.learningRate = rate(step)
            for loss in stage.accumulate(step: step) {
                if recent[loss.name] == nil { order.append(loss.name) }
                let before = recent[loss.name] ?? (0, 0)
                recent[loss.name] = (before.sum + loss.value, before.count + 1)
            }
            let norm = stage.optimizer.update()
            let elapsed = Date().timeIntervalSince(start)
            let isLast = stage.optimizer.step == options.steps || elapsed > options.seconds ?? .infinity
            if stage.optimizer.step % 50 == 0 || isLast {
                let means = order.map { (name: $0, value: recent[$0]!.sum / Float(recent[$0]!.count)) }
                let perSecond = Double((stage.optimizer.step - firstStep) * options.batch) / elapsed
                log(
                    "\(stage.name) step \(stage.optimizer.step)/\(options.steps)  "
                        + means.map { "\($0.name) \(String(format: "%.4f", $0.value))" }.joined(separator: "  ")
                            + """
                              norm \(String(format: "%.2f", norm))  \(String(format: "%.1f", perSecond)) pictures/s  \
                            \(Int(elapsed)) s
                            """
                )
                try losses.append(step: stage.optimizer.step, means)
                recent = [:]
                order = []
            }
            if stage.optimizer.step % options.reportEvery == 0 || isLast { try report() }
            if isLast { break }
        }
    }

    private func report() throws {
        try OptimizerState(stage.optimizer).write(checkpoint)
        try stage.sheet().writePNG("\(options.folder)/\(stage.name).sheet.png")
        try losses.plot(title: "\(stage.name), \(stage.optimizer.step) steps").writePNG(
            "\(options.folder)/\(stage.name).losses.png")
    }

    private func log(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
}
