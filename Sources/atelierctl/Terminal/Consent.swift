import ArgumentParser

/// Whether something is done, only shown, or asked about first.
struct Consent: ParsableArguments {
    @Flag(help: "Do not ask.") var yes = false
    @Flag(help: "Only show what would be touched.") var dryRun = false

    /// Asks for `action` (`retry 3 jobs`) where a person can be asked; ends the program where the answer is no, or
    /// nobody is there.
    func confirm(_ action: String) throws {
        guard !yes else { return }
        guard Terminal.isInput else {
            Terminal.note("atelierctl: nobody can be asked here; add --yes to \(action)")
            throw ExitStatus.declined
        }
        guard Terminal.confirms("\(action)?") else { throw ExitStatus.declined }
    }
}
