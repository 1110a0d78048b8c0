/// A linear warm-up, then a linear fall to a twentieth of the peak at the last step.
struct LearningRateSchedule {
    let peak: Float
    let warmup: Int
    let steps: Int

    func callAsFunction(_ step: Int) -> Float {
        if step < warmup { return peak * Float(step + 1) / Float(warmup) }
        let progress = Float(step - warmup) / Float(max(steps - warmup, 1))
        return peak * (1 - 0.95 * min(progress, 1))
    }
}
