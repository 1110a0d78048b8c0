import Broker
import Foundation

/// One row of the settings' table: the name in the file, the name in the environment, the default, what it means.
package struct SettingRow: Sendable {
    /// The key in the JSON file.
    package let name: String
    /// The environment variable that overrides it.
    package let variable: String
    /// The value when nobody gives one; nil where one must be given.
    package let standard: String?
    /// One line for `atelierd check --explain` and the documentation.
    package let meaning: String
}

extension Settings {
    /// Every setting there is. Anything else in the file is reported as unknown.
    package static let table: [SettingRow] = [
        row(
            "amqpURL", "AMQP_URL", nil,
            """
            RabbitMQ: amqp://user:password@host:5672/vhost or amqps://; a password for another host comes from a file \
            or a credential
            """
        ),
        row("amqpURLFile", "AMQP_URL_FILE", "", "a file that holds the AMQP URL"),
        row(
            "postgresURL", "POSTGRES_URL", nil,
            """
            PostgreSQL: postgresql://user:password@host:5432/database likewise; on another host with TLS unless it \
            says sslmode=disable
            """
        ),
        row("postgresURLFile", "POSTGRES_URL_FILE", "", "a file that holds the PostgreSQL URL"),
        row(
            "certificateAuthority", "CERTIFICATE_AUTHORITY", BrokerAddress.systemAuthorities,
            "who must have signed the servers' certificates (amqps://, sslmode=verify-full): a PEM file"),
        row(
            "stateDirectory", "STATE_DIRECTORY", nil,
            "artifacts, workspaces and logs live here; systemd's StateDirectory= is used when set"),
        row(
            "sharedDirectory", "SHARED_DIRECTORY", nil,
            "artifacts and checkpoints, at one path for all hosts' daemons; the state directory when not given"),
        row("modelsDirectory", "MODELS", nil, "the folder with the models"),
        row("engine", "ENGINE", nil, "the engine's executable; beside atelierd when not given"),
        row("topologyPrefix", "TOPOLOGY_PREFIX", "atelier", "the prefix of every exchange and queue"),
        row("workerName", "WORKER_NAME", nil, "this worker's name; the host's name when not given"),
        row("slots", "SLOTS", "1", "jobs at a time, 1 to 64"),
        row("engineThreads", "ENGINE_THREADS", "0", "threads of one engine, 0 (the engine decides) to 256"),
        row(
            "engineNice", "ENGINE_NICE", "19",
            "niceness of engines, 0 to 19: with less than 19 the daemon answers slower beside a busy engine"),
        row("checkpointSeconds", "CHECKPOINT_SECONDS", "10", "between checkpoints, 1 to 3600"),
        row(
            "leaseSeconds", "LEASE_SECONDS", "30",
            "until a silent worker's jobs are taken over, 2 to 3600; at least three heartbeats"),
        row("heartbeatSeconds", "HEARTBEAT_SECONDS", "5", "between heartbeats, 0.1 to 600"),
        row("pollSeconds", "POLL_SECONDS", "5", "between polls of the tables without a notification, 0.1 to 600"),
        row("drainSeconds", "DRAIN_SECONDS", "60", "a stop may take, 1 to 3600"),
        row("graceSeconds", "GRACE_SECONDS", "30", "between SIGTERM and SIGKILL of an engine, 1 to 600"),
        row("engineMemoryMiB", "ENGINE_MEMORY_MIB", "0", "resident memory an engine may take, 0 (no limit) to 1048576"),
        row(
            "engineSilenceSeconds", "ENGINE_SILENCE_SECONDS", "1800",
            "an engine may say nothing before it is killed, 0 (no limit) to 86400"),
        row("messageMiB", "MESSAGE_MIB", "64", "largest message accepted, 1 to 512"),
        row("freeDiskMiB", "FREE_DISK_MIB", "256", "free space below which no new work starts, 0 to 1048576"),
        row(
            "keepCompletedDays", "KEEP_COMPLETED_DAYS", "30",
            "completed and cancelled jobs are kept, 0 (for ever) to 36500; later their message ids make new jobs"),
        row("keepDiscardedDays", "KEEP_DISCARDED_DAYS", "365", "discarded jobs are kept, likewise"),
        row("keepProbesDays", "KEEP_PROBES_DAYS", "1", "probes are kept, likewise"),
        row("keepMessagesDays", "KEEP_MESSAGES_DAYS", "3", "sent messages are kept in the outbox, likewise"),
        row("keepRejectionsDays", "KEEP_REJECTIONS_DAYS", "30", "rejected messages are kept, likewise"),
        row("logLevel", "LOG_LEVEL", "info", "trace, debug, info, notice, warning, error or critical"),
    ]

    private static func row(_ name: String, _ variable: String, _ standard: String?, _ meaning: String) -> SettingRow {
        SettingRow(name: name, variable: "ATELIER_" + variable, standard: standard, meaning: meaning)
    }
}
