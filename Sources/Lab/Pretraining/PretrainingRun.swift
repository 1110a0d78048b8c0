import Foundation
import Hashing
import Images
import Layers

/// Runs a stage to its end or its time limit, from its last checkpoint if the folder has one.
struct PretrainingRun {
    let options: PretrainingOptions
    let stage: any PretrainingStage

    /// Steps whose mean losses are a row of the table, and a line of the log; a report has one too.
    private static let stepsOfARow = 50

    private var checkpoint: String { "\(options.folder)/\(stage.name).checkpoint.safetensors" }
    private var losses: LossTable { LossTable(path: "\(options.folder)/\(stage.name).losses.csv") }

    func run() throws {
        try FileManager.default.createDirectory(atPath: options.folder, withIntermediateDirectories: true)
        if FileManager.default.fileExists(atPath: checkpoint) {
            try OptimizerState(path: checkpoint).restore(stage.optimizer)
            log("\(stage.name): resumed at step \(stage.optimizer.step)")
        }
        guard stage.optimizer.step < options.steps else { return sayWhatIsLearnt() }
        let rate = LearningRateSchedule(peak: options.learningRate, warmup: 100, steps: options.steps)
        let start = Date()
        let firstStep = stage.optimizer.step
        var recent = RecentLosses()
        while stage.optimizer.step < options.steps {
            let step = stage.optimizer.step
            stage.optimizer.learningRate = rate(step)
            recent.add(stage.accumulate(step: step))
            let norm = stage.optimizer.update()
            let elapsed = Date().timeIntervalSince(start)
            let isLast = stage.optimizer.step == options.steps || elapsed > options.seconds ?? .infinity
            let isReport = isLast || stage.optimizer.step % options.reportEvery == 0
            if isReport { recent.add(heldOut) }
            if isReport || stage.optimizer.step % PretrainingRun.stepsOfARow == 0 {
                let pictures = (stage.optimizer.step - firstStep) * options.batch
                try note(recent.means, norm: norm, perSecond: Double(pictures) / elapsed, elapsed: elapsed)
                recent = RecentLosses()
            }
            if isReport { try report() }
            if isLast { break }
        }
    }

    private var heldOut: [(name: String, value: Float)] {
        stage.heldOutLoss().map { [(name: HeldOutLoss.name, value: $0)] } ?? []
    }

    /// Of a stage that is at its end, or of a model that is to learn nothing.
    private func sayWhatIsLearnt() {
        log("\(stage.name): nothing is left to learn at step \(stage.optimizer.step) of \(options.steps)")
        for loss in heldOut { log("\(stage.name): \(text(loss))") }
    }

    private func text(_ loss: (name: String, value: Float)) -> String {
        "\(loss.name) \(String(format: "%.4f", loss.value))"
    }

    /// Says how far the stage is, and adds a row to the table of losses.
    private func note(
        _ means: [(name: String, value: Float)], norm: Float, perSecond: Double, elapsed: Double
    ) throws {
        let figures = means.map(text).joined(separator: "  ")
        let pace = "norm \(String(format: "%.2f", norm))  \(String(format: "%.1f", perSecond)) pictures/s"
        log("\(stage.name) step \(stage.optimizer.step)/\(options.steps)  \(figures)  \(pace)  \(Int(elapsed)) s")
        try losses.append(step: stage.optimizer.step, means)
    }

    /// Writes what a later start goes on from, and what people look at.
    private func report() throws {
        try OptimizerState(stage.optimizer).write(checkpoint)
        try stage.sheet().writePNG("\(options.folder)/\(stage.name).sheet.png")
        try losses.plot(title: "\(stage.name), \(stage.optimizer.step) steps").writePNG(
            "\(options.folder)/\(stage.name).losses.png")
    }

    private func log(_ line: String) { StandardStream.errors.write(line + "\n") }
}

/// The losses of the steps since the last row, by name, in the order in which they came.
private struct RecentLosses {
    private var sums: [String: (sum: Float, count: Int)] = [:]
    private var order: [String] = []

    mutating func add(_ losses: [(name: String, value: Float)]) {
        for loss in losses {
            if sums[loss.name] == nil { order.append(loss.name) }
            let before = sums[loss.name] ?? (0, 0)
            sums[loss.name] = (before.sum + loss.value, before.count + 1)
        }
    }

    /// The mean of each over the steps that told it.
    var means: [(name: String, value: Float)] {
        order.map { (name: $0, value: sums[$0]!.sum / Float(sums[$0]!.count)) }
    }
}
