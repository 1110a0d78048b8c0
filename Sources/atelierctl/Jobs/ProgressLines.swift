import Jobs

/// What a log is told of progress: every stage as it begins, and each further tenth of it.
struct ProgressLines {
    private var stage = ""
    private var tenth = 0

    /// `train 60/600`; nil where nothing new is to be said.
    mutating func line(of progress: EngineEvent.Progress) -> String? {
        let reached = progress.step * 10 / max(1, progress.steps)
        guard progress.stage != stage || reached != tenth else { return nil }
        (stage, tenth) = (progress.stage, reached)
        return "\(printable(stage)) \(progress.step)/\(progress.steps)"
    }
}
