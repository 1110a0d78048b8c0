import ArgumentParser
import Engine

struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Do one job: an order as one JSON line on stdin, events as JSON lines on stdout. The daemon starts this.")

    func run() { EngineWork(connection: EngineConnection()).run() }
}
