import Daemon
import Foundation
import Jobs

/// Has this host's engine look into a job before it is begun, as the daemon has before it accepts one.
enum JobInspection {
    /// What the engine found in a body; nil where there is nothing it could say, or no engine that could.
    static func report(on body: JSONValue, _ settings: Settings) async -> InspectionReport? {
        guard let order = InspectionOrder(message: body.line) else { return nil }
        return try? await EngineScratch.with(settings) { settings in
            let inspector = Inspector(
                quietly: .inspection(settings, environment: ProcessInfo.processInfo.environment))
            let report = await inspector.inspect(order)
            await inspector.close()
            return report
        }
    }
}
