import ArgumentParser
import Engine
import Foundation

struct Measure: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure how fast this host does what jobs are made of, as a JSON line. The daemon starts this.")

    func run() { print(String(decoding: HostMeasurement().run().line, as: UTF8.self)) }
}
