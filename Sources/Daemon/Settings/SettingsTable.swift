import Broker
import Foundation

/// One row of the settings' table: everything there is to know of one setting. Reading, checking, explaining, showing
/// and reloading go by it.
package struct Setting: Sendable {
    /// Where a value goes, and what it may be.
    enum Content: Sendable {
        /// A server's URL with a password in it: also from the file that the setting of that name and `File` names, or
        /// from systemd's credential of this name.
        case url(WritableKeyPath<Settings, Secret> & Sendable, credential: String, schemes: [String])
        /// The name of a file with such a URL.
        case urlFile
        /// An address of pages, without a slash at its end, or nothing.
        case address(WritableKeyPath<Settings, String> & Sendable)
        /// An absolute path.
        case path(WritableKeyPath<Settings, String> & Sendable)
        /// Letters, digits, dots, dashes and underscores.
        case name(WritableKeyPath<Settings, String> & Sendable)
        /// Names with commas between them, or none.
        case names(WritableKeyPath<Settings, String> & Sendable)
        case integer(WritableKeyPath<Settings, Int> & Sendable, ClosedRange<Int>)
        case number(WritableKeyPath<Settings, Double> & Sendable, ClosedRange<Double>)
        /// Days; 0 stands for ever.
        case days(WritableKeyPath<Settings, Double?> & Sendable, ClosedRange<Double>)
        /// One of these words.
        case choice(WritableKeyPath<Settings, String> & Sendable, [String])
    }

    /// The key in the JSON file.
    package let name: String
    /// The environment variable that overrides it.
    package let environment: String
    let content: Content
    /// The value when nobody gives one; nil where one must be given, or where it depends on the host.
    package let standard: String?
    /// One line for `atelierd check --explain` and the documentation.
    let help: String
    /// Whether a reload takes it over while engines run; else it waits for the next start.
    let isReloadable: Bool

    fileprivate init(
        _ name: String, _ environment: String, _ content: Content, _ standard: String?, _ help: String,
        isReloadable: Bool = false
    ) {
        (self.name, self.environment, self.content) = (name, "ATELIER_" + environment, content)
        (self.standard, self.help, self.isReloadable) = (standard, help, isReloadable)
    }

    /// What it is for, and what it may be.
    package var meaning: String { [help, range].compactMap(\.self).joined(separator: ", ") }

    private var range: String? {
        switch content {
        case .integer(_, let range): "\(range.lowerBound) to \(range.upperBound)"
        case .number(_, let range): "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
        case .days(_, let range): "0 (for ever) to \(Self.text(range.upperBound)) days"
        case .choice(_, let words): words.joined(separator: ", ")
        case .url, .urlFile, .path, .name, .names, .address: nil
        }
    }

    /// The value in `settings` as the file would give it, what is secret as `show` has it; nil for a file with a URL.
    func text(in settings: Settings, _ show: (Secret) -> String) -> String? {
        switch content {
        case .url(let place, _, _): show(settings[keyPath: place])
        case .urlFile: nil
        case .path(let place), .name(let place), .names(let place), .address(let place), .choice(let place, _):
            settings[keyPath: place]
        case .integer(let place, _): String(settings[keyPath: place])
        case .number(let place, _): Self.text(settings[keyPath: place])
        case .days(let place, _): Self.text(settings[keyPath: place] ?? 0)
        }
    }

    /// Takes the value of `other` over into `settings`.
    func copy(from other: Settings, to settings: inout Settings) {
        switch content {
        case .url(let place, _, _): settings[keyPath: place] = other[keyPath: place]
        case .urlFile: break
        case .path(let place), .name(let place), .names(let place), .address(let place), .choice(let place, _):
            settings[keyPath: place] = other[keyPath: place]
        case .integer(let place, _): settings[keyPath: place] = other[keyPath: place]
        case .number(let place, _): settings[keyPath: place] = other[keyPath: place]
        case .days(let place, _): settings[keyPath: place] = other[keyPath: place]
        }
    }

    private static func text(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}

extension Settings {
    /// Every setting there is. Anything else in the file is reported as unknown.
    package static let table: [Setting] = [
        Setting(
            "certificateAuthority", "CERTIFICATE_AUTHORITY", .path(\.certificateAuthority),
            BrokerAddress.systemAuthorities,
            "who must have signed the servers' certificates (amqps://, sslmode=verify-full): a PEM file"),
        Setting(
            "amqpURL", "AMQP_URL", .url(\.amqpURL, credential: "amqp-url", schemes: ["amqp", "amqps"]), nil,
            """
            RabbitMQ: amqp://user:password@host:5672/vhost or amqps://; a password for another host comes from a file \
            or a credential
            """),
        Setting("amqpURLFile", "AMQP_URL_FILE", .urlFile, "", "a file that holds the AMQP URL"),
        Setting(
            "postgresURL", "POSTGRES_URL",
            .url(\.postgresURL, credential: "postgres-url", schemes: ["postgresql", "postgres"]), nil,
            """
            PostgreSQL: postgresql://user:password@host:5432/database likewise; on another host with TLS unless it \
            says sslmode=disable
            """),
        Setting("postgresURLFile", "POSTGRES_URL_FILE", .urlFile, "", "a file that holds the PostgreSQL URL"),
        Setting(
            "stateDirectory", "STATE_DIRECTORY", .path(\.stateDirectory), nil,
            """
            artifacts, workspaces and logs live here; when not given systemd's StateDirectory=, or /var/lib/atelier \
            where there is an /etc/atelier
            """),
        Setting(
            "sharedDirectory", "SHARED_DIRECTORY", .path(\.sharedDirectory), nil,
            "artifacts and checkpoints, at one path for all hosts' daemons; the state directory when not given"),
        Setting(
            "modelsDirectory", "MODELS", .path(\.modelsDirectory), nil,
            "the folder with the models; share/atelier/models of the installation, or a checkout's, when not given"),
        Setting(
            "engine", "ENGINE", .path(\.engine), nil, "the engine's executable; beside atelierd when not given"),
        Setting(
            "topologyPrefix", "TOPOLOGY_PREFIX", .name(\.topologyPrefix), "atelier",
            "the prefix of every exchange and queue"),
        Setting(
            "userID", "USER_ID", .choice(\.userID, ["required", "optional"]), "required",
            """
            whether a message must have the property user_id, for which the broker vouches; if not, one without is \
            tenant default's
            """),
        Setting(
            "replyPrefix", "REPLY_PREFIX", .name(\.replyPrefix), "reply",
            "outcomes go to a tenant's queues alone: PREFIX.TENANT and those that begin with PREFIX.TENANT."),
        Setting(
            "operators", "OPERATORS", .names(\.operators), "",
            "RabbitMQ users that may pause, resume and cancel any job, beside the daemon's own; with commas"),
        Setting(
            "workerName", "WORKER_NAME", .name(\.workerName), nil, "this worker's name; the host's name when not given"
        ),
        Setting(
            "trainingSlots", "TRAINING_SLOTS", .integer(\.trainingSlots, 0...64), "1",
            "personalizations and evaluations at a time"),
        Setting(
            "drawingSlots", "DRAWING_SLOTS", .integer(\.drawingSlots, 0...64), "1",
            "jobs that draw at a time, beside those"),
        Setting(
            "engineThreads", "ENGINE_THREADS", .integer(\.engineThreads, 0...256), "0",
            "threads of one engine, 0 leaves it to the engine", isReloadable: true),
        Setting(
            "engineNice", "ENGINE_NICE", .integer(\.engineNice, 0...19), "19",
            "niceness of engines: with less than 19 the daemon answers slower beside a busy engine",
            isReloadable: true),
        Setting(
            "drawingNice", "DRAWING_NICE", .integer(\.drawingNice, 0...19), "10",
            "niceness of engines that draw, if less: a training beside them yields", isReloadable: true),
        Setting(
            "checkpointSeconds", "CHECKPOINT_SECONDS", .integer(\.checkpointSeconds, 1...3600), "10",
            "between checkpoints", isReloadable: true),
        Setting(
            "leaseSeconds", "LEASE_SECONDS", .integer(\.leaseSeconds, 2...3600), "30",
            "until a silent worker's jobs are taken over; at least three heartbeats"),
        Setting(
            "heartbeatSeconds", "HEARTBEAT_SECONDS", .number(\.heartbeatSeconds, 0.1...600), "5",
            "between heartbeats"),
        Setting(
            "pollSeconds", "POLL_SECONDS", .number(\.pollSeconds, 0.1...600), "5",
            "between polls of the tables without a notification"),
        Setting("drainSeconds", "DRAIN_SECONDS", .integer(\.drainSeconds, 1...3600), "60", "a stop may take"),
        Setting(
            "graceSeconds", "GRACE_SECONDS", .integer(\.graceSeconds, 1...600), "30",
            "between SIGTERM and SIGKILL of an engine", isReloadable: true),
        Setting(
            "engineMemoryMiB", "ENGINE_MEMORY_MIB", .integer(\.engineMemoryMiB, 0...1_048_576), "0",
            "resident memory an engine may take, 0 sets no limit", isReloadable: true),
        Setting(
            "engineSilenceSeconds", "ENGINE_SILENCE_SECONDS", .integer(\.engineSilenceSeconds, 0...86_400), "1800",
            "an engine may say nothing before it is killed, 0 sets no limit", isReloadable: true),
        Setting(
            "engineConfinement", "ENGINE_CONFINEMENT", .choice(\.engineConfinement, ["files", "none"]), "files",
            """
            files: an engine reaches its job's files, models and programs alone, and no network (Landlock); none: all \
            that its user does
            """,
            isReloadable: true),
        Setting("messageMiB", "MESSAGE_MIB", .integer(\.messageMiB, 1...512), "64", "largest message accepted"),
        Setting(
            "attachMiB", "ATTACH_MIB", .integer(\.attachMiB, 0...64), "8",
            "what an outcome carries of artifacts at most, where its message asks for them with `attach`"),
        Setting(
            "webURL", "WEB_URL", .address(\.webURL), "",
            "where browsers find atelier-web, like https://atelier.example: outcomes then tell artifacts' addresses"),
        Setting(
            "freeDiskMiB", "FREE_DISK_MIB", .integer(\.freeDiskMiB, 0...1_048_576), "256",
            "free space below which no new work starts", isReloadable: true),
        keep(
            "keepCompletedDays", "KEEP_COMPLETED_DAYS", \.retention.completedJobs, "30",
            "completed and cancelled jobs are kept; later their message ids make new jobs"),
        keep(
            "keepDiscardedDays", "KEEP_DISCARDED_DAYS", \.retention.discardedJobs, "365",
            "discarded jobs are kept, likewise"),
        keep("keepProbesDays", "KEEP_PROBES_DAYS", \.retention.probes, "1", "probes are kept"),
        keep(
            "keepMessagesDays", "KEEP_MESSAGES_DAYS", \.retention.messages, "3",
            "sent messages are kept in the outbox"),
        keep(
            "keepRejectionsDays", "KEEP_REJECTIONS_DAYS", \.retention.rejections, "30", "rejected messages are kept"),
        Setting(
            "logLevel", "LOG_LEVEL",
            .choice(\.logLevel, ["trace", "debug", "info", "notice", "warning", "error", "critical"]), "info",
            "the least severe level that is logged", isReloadable: true),
        // atelier-web's alone.
        Setting(
            "adminURL", "ADMIN_URL",
            .url(\.adminURL, credential: "admin-url", schemes: ["postgresql", "postgres"]), "",
            "atelier-web: PostgreSQL as a role with atelier_admin; without it the pages only show"),
        Setting("adminURLFile", "ADMIN_URL_FILE", .urlFile, "", "atelier-web: a file that holds that URL"),
        Setting(
            "webAddress", "WEB_ADDRESS", .name(\.webAddress), "127.0.0.1",
            "atelier-web: where it listens; another address than this machine's own needs webTokens"),
        Setting(
            "webPort", "WEB_PORT", .integer(\.webPort, 0...65_535), "8645",
            "atelier-web: its port, 0 takes any free one"
        ),
        Setting(
            "webTokens", "WEB_TOKENS", .path(\.webTokens), "",
            "atelier-web: a file of who may see and act; without it whoever is on this machine"),
    ]

    private static func keep(
        _ name: String, _ environment: String, _ place: WritableKeyPath<Settings, Double?> & Sendable,
        _ standard: String, _ help: String
    ) -> Setting {
        Setting(name, environment, .days(place, 0...36_500), standard, help, isReloadable: true)
    }
}
