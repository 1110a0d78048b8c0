import Daemon
import Foundation
import Jobs

/// Has this host's engine look into a job before it is begun, as the daemon has before it accepts one.
enum JobInspection {
    /// What the engine found in a body; nil where there is nothing it could say, or no engine that could.
    /// - Parameter adapters: of the concepts that it mentions.
    static func report(
        on body: JSONValue, adapters: [String: InspectionOrder.Adapter], _ settings: Settings
    ) async -> InspectionReport? {
        guard var order = InspectionOrder(message: body.line) else { return nil }
        order.adapters = adapters
        return try? await EngineScratch.with(settings) { [order] settings in
            let inspector = Inspector(
                quietly: .inspection(settings, environment: ProcessInfo.processInfo.environment))
            let report = await inspector.inspect(order)
            await inspector.close()
            return report
        }
    }
}
