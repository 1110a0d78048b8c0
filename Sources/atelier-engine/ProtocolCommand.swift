import ArgumentParser
import Foundation
import Jobs

struct ProtocolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "protocol",
        abstract: "Say which version of the engine's protocol this is, and which jobs it does, as a JSON line.")

    func run() { print(String(decoding: EngineProtocol.own.line, as: UTF8.self)) }
}
