import Foundation

/// Interrupt, termination and hang-up, which call a handler instead of ending the program.
struct StopSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ handler: @escaping @Sendable () -> Void) {
        sources = [SIGINT, SIGTERM, SIGHUP].compactMap { number -> (any DispatchSourceSignal)? in
            // Under nohup it goes on without its terminal.
            if number == SIGHUP, Self.isIgnored(number) { return nil }
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { handler() }
            source.resume()
            return source
        }
    }

    /// Calls the handler no more; the signals are ignored.
    func cancel() { for source in sources { source.cancel() } }

    /// Whether whoever began this program has it ignore a signal, as nohup does.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        // Functions are no numbers to compare, and 1 is what C calls SIG_IGN.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }
}
