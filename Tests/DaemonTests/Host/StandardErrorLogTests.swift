import Foundation
import Logging
import Testing

@testable import Daemon

@Suite struct StandardErrorLogTests {
    @Test func theJournalGetsPrioritiesAndUnforgeableValues() {
        let log = StandardErrorLog(label: "atelierd", threshold: LogThreshold(.info), reader: .journal)
        #expect(
            log.line(level: .info, message: "job claimed", metadata: ["job.id": "7", "job.kind": "personalize"])
                == "<6>atelierd: job claimed job.id=7 job.kind=personalize\n")
        #expect(
            log.line(level: .error, message: "m", metadata: ["a": "x\n<0>forged \u{1B}[2J \"q\""])
                == "<3>atelierd: m a=\"x\\n<0>forged \\x1b[2J \\\"q\\\"\"\n")
    }

    @Test func aTerminalGetsColours() {
        let log = StandardErrorLog(label: "atelierd", threshold: LogThreshold(.info), reader: .terminal)
        #expect(
            log.line(level: .warning, message: "m", metadata: nil).contains("\u{1B}[33mwarning\u{1B}[0m atelierd: m"))
    }

    @Test func aFileGetsDateTimeAndLevel() {
        let log = StandardErrorLog(label: "atelierd", threshold: LogThreshold(.info), reader: .file)
        let line = log.line(level: .notice, message: "worker registered", metadata: ["worker.id": "7"])
        #expect(
            line.wholeMatch(
                of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z notice atelierd: worker registered worker.id=7\n/) != nil,
            "\(line)")
    }

    @Test func theJournalIsKnownByItsStream() throws {
        let pipe = Pipe()
        let descriptor = pipe.fileHandleForWriting.fileDescriptor
        var status = stat()
        try #require(fstat(descriptor, &status) == 0)
        #expect(LogReader.isJournal("\(status.st_dev):\(status.st_ino)", descriptor: descriptor))
        #expect(!LogReader.isJournal("\(status.st_dev):\(status.st_ino + 1)", descriptor: descriptor))
        #expect(!LogReader.isJournal("", descriptor: descriptor))
    }
}
