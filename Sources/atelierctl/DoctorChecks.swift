import Broker
import Catalogue
import Daemon
import Foundation
import Jobs
import Store

/// Everything Atelier needs, looked at: each fault has the name of its check, and says what to do.
/// `docs/operations.md` has a heading for each.
struct DoctorChecks {
    /// One line of the doctor's.
    struct Finding {
        let check: String
        let problem: String?
        let detail: String
    }

    let settings: Settings
    let wantsDaemon: Bool
    let wantsProbe: Bool
    /// Where `atelierctl setup` put secrets.
    let folder: String

    func findings() async -> [Finding] {
        let store = Store(url: settings.postgresURL.reveal(), application: "atelierctl/doctor")
        var findings = [await postgres(store)]
        // Without the server nothing in it can be looked at.
        var hasStore = findings[0].problem == nil
        if hasStore {
            let schema = await schema(store)
            findings += [await clock(store), schema]
            // Of a schema that is not there, or not as it must be, every further line would say the same.
            hasStore = schema.problem == nil
        }
        findings += [await broker()]
        if hasStore { findings.append(await rights(store)) }
        if wantsDaemon && hasStore { findings += [await daemons(store), await paused(store)] }
        if hasStore {
            findings += [
                await waiting(store), await withoutWorker(store), await failures(store), await rejections(store),
                await outbox(store),
            ]
        }
        if findings.contains(where: { $0.check == "rabbitmq" && $0.problem == nil }) {
            if wantsDaemon { findings.append(await intake()) }
            findings += [await deadLetters(), await permissions()]
            if wantsProbe { findings.append(await probe()) }
        }
        return findings + [await engine(), models(), state(), disk()]
    }

    private func finding(_ check: String, _ body: () async throws -> String) async -> Finding {
        do { return Finding(check: check, problem: nil, detail: try await body()) } catch {
            return Finding(check: check, problem: "\(error)", detail: "")
        }
    }

    private func number(_ row: Row?, _ column: String) -> Double { row?[column].flatMap { Double($0) } ?? 0 }
}

// MARK: PostgreSQL

extension DoctorChecks {
    private func postgres(_ store: Store) async -> Finding {
        await finding("postgresql") {
            "version " + (try await store.query("show server_version").first?["server_version"] ?? "")
        }
    }

    private func schema(_ store: Store) async -> Finding {
        await finding("schema") {
            let isThere = try await store.query("select to_regclass('atelier.jobs') is not null as found").first
            guard isThere?["found"] == "t" else {
                throw Doctor.Trouble("there is none yet; \(Self.howToMigrate)")
            }
            let installation = Installation()
            guard let directory = installation.folder("sql") else {
                return "present, but not compared: \(installation.absence(of: "sql"))"
            }
            let standing = try await Migrations(directory: directory).standing(in: store)
            let bad = standing.filter { $0.standing != .applied }
            guard bad.isEmpty else {
                throw Doctor.Trouble(
                    bad.map { "\($0.file.name) is \($0.standing.rawValue)" }.joined(separator: ", ")
                        + "; \(Self.howToMigrate)")
            }
            return "\(standing.count) files applied"
        }
    }

    private func rights(_ store: Store) async -> Finding {
        await finding("rights") {
            let folder = folder
            let problems = try await DatabaseRights(store: store) { Setup.secret($0, in: folder) }.problems()
            guard problems.isEmpty else { throw Doctor.Trouble(problems.joined(separator: "; ")) }
            return "readers see every view, and who administers may act"
        }
    }

    private static let howToMigrate = "as the database's owner: \(Migrate.command)"

    private func clock(_ store: Store) async -> Finding {
        await finding("clock") {
            let ahead =
                Date.now.timeIntervalSince1970
                - number(try await store.query("select extract(epoch from clock_timestamp()) as now").first, "now")
            guard abs(ahead) < 5 else {
                throw Doctor.Trouble(
                    """
                    this host is \(Int(ahead)) s ahead of PostgreSQL's; set both by NTP: run_after and deadline are \
                    held against PostgreSQL's
                    """
                )
            }
            return "within \(Int(abs(ahead)) + 1) s of PostgreSQL's"
        }
    }

    /// A daemon is ready for systemd before it has reached PostgreSQL: where none is there, one that was started just
    /// now has three seconds to say so.
    private func workers(_ store: Store) async throws -> [WorkerLiveness] {
        let patience = ContinuousClock.now + .seconds(3)
        while true {
            let found = try await store.objects(
                "select * from dashboard.workers where gone_at is null order by name"
            ).map { WorkerLiveness(row: $0, heartbeatSeconds: settings.heartbeatSeconds) }
            guard found.isEmpty, ContinuousClock.now < patience else { return found }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func daemons(_ store: Store) async -> Finding {
        await finding("daemon") {
            let workers = try await workers(store)
            let silent = workers.filter(\.isSilent).map {
                "\($0.name) gave no sign of life for \(Int($0.silence)) s"
            }
            let living = workers.filter { !$0.isSilent }.map(\.name)
            guard silent.isEmpty else {
                throw Doctor.Trouble(
                    silent.joined(separator: ", ")
                        + """
                        ; after \(settings.leaseSeconds) s another daemon takes its jobs over; is it stopped or cut off?
                        """)
            }
            guard !living.isEmpty else {
                throw Doctor.Trouble("no daemon gives a sign of life; systemctl status atelierd")
            }
            return living.joined(separator: ", ")
        }
    }

    private func paused(_ store: Store) async -> Finding {
        await finding("paused") {
            let names = try await store.query(
                "select name from atelier.workers where gone_at is null and paused order by name"
            ).compactMap { $0["name"] }
            guard names.isEmpty else {
                throw Doctor.Trouble("\(names.joined(separator: ", ")) starts no new work; atelierctl resume")
            }
            return "nobody"
        }
    }

    private func waiting(_ store: Store) async -> Finding {
        await finding("waiting") {
            let row = try await store.query(
                """
                with ready as (
                    select needs, count(*) as jobs, min(run_after) as oldest
                    from atelier.jobs where state = 'available' and kind <> 'probe' group by needs),
                -- What waits for a model that nobody holds is another line's.
                held as (
                    select r.* from ready r where exists (
                        select from atelier.workers w where w.gone_at is null and not exists (
                            select from string_to_table(r.needs, ' ') n(need) where not exists (
                                select from atelier.worker_models m where m.worker = w.id
                                    and n.need in (m.model || '@', m.model || '@' || m.digest)))))
                select (select coalesce(sum(jobs), 0) from ready) as jobs,
                    coalesce(round(extract(epoch from now() - min(oldest))), 0) as oldest,
                    (select coalesce(sum(slots), 0) from atelier.workers where gone_at is null and not paused)
                    - (select count(*) from atelier.jobs where state = 'running') as free
                from held
                """
            ).first
            guard number(row, "oldest") < 60 || number(row, "free") <= 0 else {
                throw Doctor.Trouble(
                    """
                    a job is ready since \(row?["oldest"] ?? "") s although slots are free; look into the daemon's \
                    log, and at the disk below
                    """
                )
            }
            return "\(row?["jobs"] ?? "0") jobs ready"
        }
    }

    private func withoutWorker(_ store: Store) async -> Finding {
        await finding("models held") {
            let rows = try await store.withoutWorker()
            guard rows.isEmpty else {
                let waiting = rows.map {
                    "\($0["jobs"] ?? "") for \(printable($0["model"] ?? "")) (\($0["digest"] ?? ""))"
                        + ($0["further_models"].map { " with \(printable($0))" } ?? "") + lack(of: $0)
                }.joined(separator: ", ")
                let renewed = Set(rows.filter { $0["holds_other_weights"] == "t" }.compactMap { $0["model"] }).sorted()
                let rebinding = renewed.map {
                    "; \(JobDescription.otherWeights): atelierctl jobs rebind --model \(printable($0))"
                }.joined()
                throw Doctor.Trouble(
                    """
                    jobs wait that no living worker can do: \(waiting)\(rebinding); start a daemon that holds the \
                    model and has the memory, or add the model (atelierctl models add), or give engines more \
                    (engineMemoryMiB), or cancel them
                    """
                )
            }
            return "no job waits for a model that no worker holds"
        }
    }

    /// What a worker would have to have.
    private func lack(of row: Row) -> String {
        let code = row["lacks"] ?? ""
        guard code == "worker.memory" else { return " [\(code)]" }
        let (needed, largest) = (number(row, "memory_bytes"), number(row, "largest_memory_bytes"))
        return " up to \(Int(needed) >> 20) MiB of memory, where \(Int(largest) >> 20) MiB is the most [\(code)]"
    }

    private func failures(_ store: Store) async -> Finding {
        await finding("failures") {
            let row = try await store.query(
                """
                select count(*) filter (where failed) as failed, count(*) as ended,
                    mode() within group (order by error_code) filter (where failed) as code
                from (
                    select error_code, outcome in ('failed', 'crashed') or error_code = 'host.fault' as failed
                    from atelier.attempts
                    where ended_at > now() - interval '1 hour' and engine is distinct from 'none') a
                """
            ).first
            guard number(row, "failed") < 3 || number(row, "failed") < number(row, "ended") / 2 else {
                throw Doctor.Trouble(
                    """
                    \(row?["failed"] ?? "") of \(row?["ended"] ?? "") attempts of the last hour failed, most with \
                    \(row?["code"] ?? ""); atelierctl jobs list --error \(row?["code"] ?? "")
                    """
                )
            }
            return "\(row?["failed"] ?? "0") of \(row?["ended"] ?? "0") attempts of the last hour"
        }
    }

    private func rejections(_ store: Store) async -> Finding {
        await finding("rejections") {
            let row = try await store.query(
                """
                select count(*) as rejected, mode() within group (order by problems->0->>'pointer') as place,
                    (select count(*) from atelier.jobs where kind <> 'probe' and created_at > now() - interval '1
                        hour') as accepted
                from dashboard.rejections where at > now() - interval '1 hour'
                """
            ).first
            guard number(row, "rejected") < 3 || number(row, "rejected") < number(row, "accepted") else {
                throw Doctor.Trouble(
                    """
                    \(row?["rejected"] ?? "") messages of the last hour were refused at the door, most for \
                    \(row?["place"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"); select * from dashboard.rejections
                    """
                )
            }
            return "\(row?["rejected"] ?? "0") messages of the last hour"
        }
    }

    private func outbox(_ store: Store) async -> Finding {
        await finding("outbox") {
            let row = try await store.query(
                "select waiting, coalesce(oldest_seconds, 0) as oldest, an_error from dashboard.outbox"
            ).first
            guard number(row, "oldest") < 60 else {
                throw Doctor.Trouble(
                    """
                    \(row?["waiting"] ?? "") messages could not leave, the oldest since \(row?["oldest"] ?? "") s: \
                    \(row?["an_error"] ?? "no daemon sends them, or the broker is away")
                    """
                )
            }
            return "\(row?["waiting"] ?? "0") messages wait"
        }
    }
}

// MARK: RabbitMQ

extension DoctorChecks {
    /// A message that no queue wants: it comes back if, and only if, we may publish and the exchange is there.
    private func broker() async -> Finding {
        await finding("rabbitmq") {
            let address = try settings.broker()
            let publisher = Publisher(address)
            publisher.start()
            let exchange = TopologyNames(prefix: settings.topologyPrefix).exchange
            let outcome = await publisher.publish(
                OutgoingMessage(exchange: exchange, routingKey: "doctor", body: []), within: .seconds(5))
            await publisher.stop()
            guard case .returned = outcome else {
                throw Doctor.Trouble(
                    """
                    \(address): the exchange \(exchange) does not answer: \
                    \(outcome.trouble ?? "it took what nobody wants")
                    """
                )
            }
            return "\(address), exchange \(exchange)"
        }
    }

    /// Messages nobody takes: three looks within three seconds, and they do not become fewer.
    private func intake() async -> Finding {
        await finding("intake") {
            let queue = TopologyNames(prefix: settings.topologyPrefix).jobs
            var before = try await length(of: queue)
            for _ in 0..<3 where before > 0 {
                try await Task.sleep(for: .seconds(1))
                let now = try await length(of: queue)
                guard now >= before else { return "\(now) messages wait, and become fewer" }
                before = now
            }
            guard before == 0 else {
                throw Doctor.Trouble(
                    """
                    \(before) messages wait in \(queue) and do not become fewer; look at the daemon and PostgreSQL \
                    above, and at the disk below
                    """
                )
            }
            return "no message waits"
        }
    }

    /// How many messages are ready in a queue.
    private func length(of queue: String) async throws -> Int {
        let backlog = Backlog(try settings.broker(), queue: queue, limit: 0)
        backlog.start()
        do { for try await _ in backlog.deliveries {} } catch {
            await backlog.stop()
            throw error
        }
        await backlog.stop()
        return backlog.waiting
    }

    private func deadLetters() async -> Finding {
        await finding("dead letters") {
            let count = try await length(of: TopologyNames(prefix: settings.topologyPrefix).dead)
            guard count == 0 else {
                throw Doctor.Trouble("\(count) messages the broker gave up on; atelierctl dead list")
            }
            return "none"
        }
    }

    /// What this user needs is tried over AMQP; what others may is asked of rabbitmqctl, where that can be.
    private func permissions() async -> Finding {
        await finding("permissions") {
            let address = try settings.broker()
            let publisher = Publisher(address)
            publisher.start()
            let message = OutgoingMessage(exchange: "", routingKey: "\(settings.replyPrefix)._.\(UUID())", body: [])
            let outcome = await publisher.publish(message, within: .seconds(5))
            await publisher.stop()
            guard case .returned = outcome else {
                throw Doctor.Trouble(
                    """
                    \(address.user) cannot send outcomes to reply_to: \
                    \(outcome.trouble ?? "somebody took what is nobody's")
                    """
                )
            }
            return try othersPermissions(address)
        }
    }

    private func othersPermissions(_ address: BrokerAddress) throws -> String {
        let permissions: BrokerPermissions
        do {
            permissions = try BrokerPermissions(of: address, names: TopologyNames(prefix: settings.topologyPrefix))
        } catch { return "this user's; others' were not looked at: \(error)" }
        let operators = TenantRules(settings, user: address.user).operators
        let rules = TenantRules(settings, user: address.user)
        let web = Setup.secret("web-amqp-url", in: folder).flatMap { try? BrokerAddress(url: $0).user }
        let problems = permissions.problems(user: address.user, operators: operators, web: web)
        let lacking = web.map { permissions.lacking(ofWeb: $0, queue: rules.ownQueue(of: $0)) }
        if let lacking, !lacking.isEmpty {
            throw Doctor.Trouble((problems + lacking).joined(separator: ", ") + "; sudo atelierctl setup gives it")
        }
        guard problems.isEmpty else {
            throw Doctor.Trouble(
                problems.joined(separator: ", ") + "; docs/installation.md says what each user needs")
        }
        return "every user's keep tenants apart"
    }

    private func probe() async -> Finding {
        await finding("probe") {
            let times = try await ProbeRun(settings, seconds: 10).oneByOne(1)
            guard times.answered == 1 else {
                throw Doctor.Trouble("no answer within 10 s; the checks above say where it stays")
            }
            return times.line
        }
    }
}

// MARK: This host

extension DoctorChecks {
    private func engine() async -> Finding {
        await finding("engine") {
            guard access(settings.engine, X_OK) == 0 else {
                throw Doctor.Trouble("\(settings.engine) cannot be executed")
            }
            let run = ProcessInfo.processInfo.environment
            guard let answer = await EngineGreeting(settings, environment: run).answer() else {
                return "\(settings.engine); it does not say which protocol it speaks"
            }
            if let remedy = answer.remedy { throw Doctor.Trouble(remedy) }
            let lacks = answer.lacks.isEmpty ? "" : "; it does not do " + answer.lacks.joined(separator: ", ")
            return "\(settings.engine), protocol \(answer.version)\(lacks)"
        }
    }

    private func models() -> Finding {
        let folder = settings.modelsDirectory
        let models = (try? ModelCatalogue(directory: folder).models) ?? []
        let problems = models.flatMap { model in model.problems.map { "\(model.name)/\($0)" } }
        let absence =
            "\(folder.isEmpty ? "no folder of models is set or found" : folder + " is not there or holds no model")"
        return Finding(
            check: "models",
            problem: models.isEmpty ? absence : problems.isEmpty ? nil : problems.joined(separator: "; "),
            detail: models.map(\.name).joined(separator: ", "))
    }

    private func state() -> Finding {
        let problems = Set([settings.stateDirectory, settings.sharedDirectory]).sorted().compactMap { folder in
            if isAbsent(folder) { return "\(folder) is not there; sudo systemd-tmpfiles --create atelier.conf" }
            return access(folder, W_OK) == 0 ? nil : "\(folder) cannot be written to by this user"
        }
        return Finding(
            check: "state folder", problem: problems.isEmpty ? nil : problems.joined(separator: "; "),
            detail: settings.stateDirectory)
    }

    private func disk() -> Finding {
        let folders = Set([settings.stateDirectory, settings.artifactsDirectory]).sorted()
        if let absent = folders.first(where: isAbsent) {
            return Finding(check: "disk", problem: nil, detail: "not measured: \(absent) is not there yet")
        }
        let free = settings.freeMebibytes
        let isShort = free < settings.freeDiskMiB
        let places = folders.joined(separator: " or ")
        return Finding(
            check: "disk",
            problem: isShort ? "\(free) MiB free in \(places), \(settings.freeDiskMiB) MiB are needed" : nil,
            detail: "\(free) MiB free")
    }

    private func isAbsent(_ folder: String) -> Bool { access(folder, F_OK) != 0 && errno == ENOENT }
}
