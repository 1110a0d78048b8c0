import ArgumentParser
import Jobs

/// The operator's and the user's program.
@main struct AtelierControl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "atelierctl",
        abstract: "Submit jobs, look at them, retry and cancel them, and look after the servers.",
        discussion: """
            Where the servers are: ATELIER_AMQP_URL and ATELIER_POSTGRES_URL in the environment, or --config FILE as \
            for atelierd; an installed service's, in /etc/atelier, are found by who may read them (sudo).
            Completions: atelierctl --generate-completion-script bash (or zsh, fish).
            \(ExitStatus.help)
            """,
        version: Release.version,
        subcommands: [
            Submit.self, Estimate.self,
            JobsCommand.self, RejectionsCommand.self, ConceptsCommand.self, ArtifactsCommand.self,
            Dead.self, Workers.self, TenantsCommand.self,
            Pause.self, Resume.self, SetupCommand.self, Migrate.self, Doctor.self, ProbeCommand.self, Models.self,
            SchemaCommand.self,
            Run.self,
        ])
}
