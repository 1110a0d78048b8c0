import DaemonTesting
import Foundation
import ServerTesting
import Testing

/// The small version of `ops/chaos`: every sort of fault once, and a checker that knows nothing of this code.
@Suite(.timeLimit(.minutes(10))) struct ChaosTests {
    @Test func everyGuaranteeHoldsWhileEverythingAroundBreaks() async throws {
        let run = try await ProgramRun(
            Servers.root + "/ops/chaos", ["--jobs", "60", "--faults", "20", "--seed", "1", "--limit", "150"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ATELIER_PROGRAMS": Stage.programs], within: 570)
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
    }
}
