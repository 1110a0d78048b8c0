import Foundation
import Jobs

/// Progress of a job's stages: once a second, and where a stage ends.
final class ProgressReports {
    private let connection: EngineConnection
    private var lastSent = Date.distantPast

    init(to connection: EngineConnection) { self.connection = connection }

    func send(_ stage: String, step: Int, of steps: Int) {
        guard step == steps || Date().timeIntervalSince(lastSent) > 1 else { return }
        connection.send(.progress(.init(stage: stage, step: step, steps: steps)))
        lastSent = Date()
    }
}
