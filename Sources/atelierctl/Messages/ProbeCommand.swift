import ArgumentParser
import Foundation
import Jobs

struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Send probes the whole way, through broker, tables and daemon and back, and say how long they took.",
        discussion: """
            A probe is a job that needs no engine and no slot; also a paused daemon answers it. Exit code 1 where one \
            is not answered in time.
            Outcomes of probes reach atelier.results like all others.
            """)
    @OptionGroup var server: ServerOptions
    @Option(help: "How many.") var count = 1
    @Flag(help: "All at once, to see how many a second; else one after the other, to see how long one takes.")
    var together = false
    @Option(help: "Seconds until the last one must be answered.") var timeout = 10

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ValidationError("--count \(count): allowed are 1 to 1000000")
        }
    }

    func run() async throws {
        let settings = try server.settings(needing: ["amqpURL"])
        let times: ProbeTimes
        do {
            let run = try ProbeRun(settings, seconds: timeout)
            times = together ? try await run.together(count) : try await run.oneByOne(count)
        } catch let trouble as Doctor.Trouble {
            Terminal.note("atelierctl: \(printable(trouble.description))")
            throw ExitStatus.unavailable
        }
        print(server.json ? times.json.text : times.line)
        if times.answered < times.sent { throw ExitStatus.jobFailed }
    }
}

/// How long probes took.
struct ProbeTimes {
    let sent: Int
    /// From the first publish to the last outcome, in seconds; where none came, to the end of waiting.
    let seconds: Double
    /// From publish to outcome of each that was answered, in milliseconds, ascending.
    let latencies: [Double]

    var answered: Int { latencies.count }
    var perSecond: Double { Double(answered) / max(seconds, 1e-9) }

    /// The latency that a share of the answered ones do not exceed; nil where none was.
    func percentile(_ share: Double) -> Double? {
        latencies.isEmpty ? nil : latencies[min(latencies.count - 1, Int(share * Double(latencies.count)))]
    }

    var json: JSONValue {
        func rounded(_ value: Double?) -> JSONValue { value.map { .number(($0 * 100).rounded() / 100) } ?? .null }
        return .object([
            "sent": .integer(sent), "answered": .integer(answered), "seconds": rounded(seconds),
            "per_second": rounded(perSecond),
            "p50_ms": rounded(percentile(0.5)), "p99_ms": rounded(percentile(0.99)),
        ])
    }

    var line: String {
        func rounded(_ value: Double) -> String {
            value.formatted(.number.precision(.fractionLength(1)).grouping(.never))
        }
        guard let median = percentile(0.5), let slowest = percentile(0.99) else {
            return "none of \(counted(sent, "probe")) answered in \(rounded(seconds)) s"
        }
        return
            """
            \(answered) of \(counted(sent, "probe")) answered in \(rounded(seconds)) s: \(rounded(perSecond)) a \
            second, p50 \(rounded(median)) ms, p99 \(rounded(slowest)) ms
            """
    }
}
