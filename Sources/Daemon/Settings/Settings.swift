import Foundation
import Store

/// What an operator decides about one daemon, read once at the edge and validated as a whole; `table` has a row for
/// each.
///
/// Sources, later ones win: the defaults, the JSON file, the environment (`ATELIER_…`). The two URLs carry passwords,
/// so they come from files: a file setting, or a systemd credential (`LoadCredential=amqp-url:…`, `postgres-url:…`);
/// see `ServerAccess`.
package struct Settings: Sendable, Equatable {
    /// Where RabbitMQ is: `amqp://user:password@host:port/vhost`, or `amqps://`.
    package var amqpURL = Secret("")
    /// Where PostgreSQL is: `postgresql://user:password@host:port/database`.
    package var postgresURL = Secret("")
    /// The file of the authorities whose certificates both servers are trusted by, PEM.
    package var certificateAuthority = ""
    /// The folder everything of this daemon lives in: artifacts, workspaces, logs.
    package var stateDirectory = ""
    /// The folder of artifacts and workspaces, with the checkpoints in them: a file system that all daemons see under
    /// this very path, where there are several hosts; else the state folder.
    package var sharedDirectory = ""
    /// The folder the engine finds its models in.
    package var modelsDirectory = ""
    /// The engine's executable.
    package var engine = ""
    /// The prefix of every exchange and queue: `atelier` gives `atelier.jobs`, `atelier.results` and so on.
    package var topologyPrefix = ""
    /// Whether messages must name the user that the broker vouches for: required or optional.
    package var userID = ""
    /// What the queues that answers go to begin with; then comes the tenant.
    package var replyPrefix = ""
    /// The RabbitMQ users that may pause, resume and cancel, beside the daemon's own; with commas between them.
    package var operators = ""
    /// How this worker is called in tables and logs.
    package var workerName = ""
    /// How many jobs that train or measure run at a time.
    package var trainingSlots = 0
    /// How many jobs that draw run at a time, beside those.
    package var drawingSlots = 0
    /// How many threads each engine may use in its matrix products; 0 leaves the choice to the engine.
    package var engineThreads = 0
    /// The engines' niceness: at 19 they yield to everything else on the machine, at 0 to nothing.
    package var engineNice = 0
    /// The niceness of engines that draw, where that is less.
    package var drawingNice = 0
    /// Seconds between two training checkpoints.
    package var checkpointSeconds = 0
    /// Seconds after the last heartbeat until another worker may take a job over.
    package var leaseSeconds = 0
    /// Seconds between two heartbeats.
    package var heartbeatSeconds = 0.0
    /// Seconds between two polls into the tables when no notification comes.
    package var pollSeconds = 0.0
    /// Seconds a stop may take before engines are killed.
    package var drainSeconds = 0
    /// Seconds a cancelled or drained engine has between SIGTERM and SIGKILL.
    package var graceSeconds = 0
    /// Mebibytes of address-space-independent memory one engine may take before it is killed; 0 sets no limit.
    package var engineMemoryMiB = 0
    /// Seconds an engine may say nothing before it is killed; 0 sets no limit.
    package var engineSilenceSeconds = 0
    /// What an engine reaches of this host: files (its job's, models and programs alone), or everything its user does
    /// (none).
    package var engineConfinement = ""
    /// The largest message accepted, in mebibytes.
    package var messageMiB = 0
    /// Mebibytes that must stay free in the state folder for new work to start.
    package var freeDiskMiB = 0
    /// How long what has ended is kept.
    package var retention = Retention()
    /// The least severe level that is logged: trace, debug, info, notice, warning, error, critical.
    package var logLevel = ""
    /// Where PostgreSQL is for who may act: the web program's alone; empty where its pages only show.
    package var adminURL = Secret("")
    /// The address the web program listens at.
    package var webAddress = ""
    /// Where browsers find the web program, told in outcomes; empty: it is not told.
    package var webURL = ""
    /// Artifacts an outcome carries at most.
    package var attachMiB = 0
    /// The port the web program listens at.
    package var webPort = 0
    /// The file with who may see and act in the web program; empty: whoever is on this machine.
    package var webTokens = ""

    /// The content-addressed artifact store.
    package var artifactsDirectory: String { sharedDirectory + "/artifacts" }
    /// One folder for each job with one folder for each attempt in it.
    package var workspacesDirectory: String { sharedDirectory + "/work" }
    /// What engines say on stderr, one file for each attempt.
    package var logsDirectory: String { stateDirectory + "/logs" }
    /// Where messages are looked into; never on a shared mount.
    package var inspectionDirectory: String { stateDirectory + "/inspection" }
}
