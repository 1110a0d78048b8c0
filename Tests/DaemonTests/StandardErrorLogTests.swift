import Logging
import Testing

@testable import Daemon

@Suite struct StandardErrorLogTests {
    @Test func theJournalGetsPrioritiesAndUnforgeableValues() {
        let log = StandardErrorLog(label: "atelierd", threshold: LogThreshold(.info), isTerminal: false)
        #expect(
            log.line(level: .info, message: "job claimed", metadata: ["job.id": "7", "job.kind": "personalize"])
                == "<6>atelierd: job claimed job.id=7 job.kind=personalize\n")
        #expect(
            log.line(level: .error, message: "m", metadata: ["a": "x\n<0>forged \u{1B}[2J \"q\""])
                == "<3>atelierd: m a=\"x\\n<0>forged \\x1b[2J \\\"q\\\"\"\n")
    }

    @Test func aTerminalGetsColours() {
        let log = StandardErrorLog(label: "atelierd", threshold: LogThreshold(.info), isTerminal: true)
        #expect(
            log.line(level: .warning, message: "m", metadata: nil).contains("\u{1B}[33mwarning\u{1B}[0m atelierd: m"))
    }
}
