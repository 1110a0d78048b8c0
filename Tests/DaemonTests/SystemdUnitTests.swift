import Foundation
import ServerTesting
import Testing

@Suite struct SystemdUnitTests {
    static let analyze = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let unit = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../systemd/atelierd.service").standardizedFileURL.path

    @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed: the unit's exposure is not measured"))
    func exposureIsBelowTwo() async throws {
        let text = try await Servers.run(try #require(Self.analyze), ["security", "--offline=true", "--no-pager", Self.unit])
        let last = try #require(text.split(separator: "\n").last { $0.contains("exposure level") }, "\(text)")
        let level = try #require(last.split(separator: " ").compactMap { Double($0) }.first)
        #expect(level < 2.0)
    }

    @Test func theUnitPromisesWhatTheDaemonKeeps() throws {
        let lines = try String(contentsOfFile: Self.unit, encoding: .utf8).split(separator: "\n")
        for line in ["Type=notify", "WatchdogSec=30", "LoadCredential=amqp-url:/etc/atelier/amqp-url", "StateDirectory=atelier", "RestartPreventExitStatus=78"] {
            #expect(lines.contains(Substring(line)))
        }
    }
}
