import Daemon
import Foundation
import Jobs
import Store

/// What is looked at in PostgreSQL: the schema, its rights, and what its tables say of daemons and jobs.
extension DoctorChecks {
    func postgres(_ store: Store) async -> Finding {
        await finding("postgresql") {
            let row = try await store.query(
                """
                select current_setting('server_version') as version, pg_is_in_recovery() as is_standby,
                    current_setting('transaction_read_only') = 'on' as only_reads
                """
            ).first
            guard row?["only_reads"] != "t" else {
                throw Doctor.Trouble(
                    row?["is_standby"] == "t"
                        ? "it only reads, for it is a standby; make it the primary, or name that in the URL"
                        : "it only reads: default_transaction_read_only is on; set it off")
            }
            return "version " + (row?["version"] ?? "")
        }
    }

    func encoding(_ store: Store) async -> Finding {
        await finding("encoding") {
            let encoding = try await store.encoding()
            guard encoding == "UTF8" else {
                throw Doctor.Trouble(
                    """
                    the database is in \(encoding), which cuts texts amid letters or refuses them; it has to be moved \
                    into one in UTF8: docs/operations.md, [encoding]
                    """)
            }
            return encoding
        }
    }

    func schema(_ store: Store) async -> Finding {
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

    func rights(_ store: Store) async -> Finding {
        await finding("rights") {
            let folder = folder
            let problems = try await DatabaseRights(store: store) { Setup.secret($0, in: folder) }.problems()
            guard problems.isEmpty else { throw Doctor.Trouble(problems.joined(separator: "; ")) }
            return "readers see every view, and who administers may act"
        }
    }

    private static let howToMigrate = "as the database's owner: \(Migrate.command)"

    func clock(_ store: Store) async -> Finding {
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

    private func registered(_ store: Store) async throws -> [WorkerLiveness] {
        try await store.objects("select * from dashboard.workers where gone_at is null order by name").map {
            WorkerLiveness(row: $0, heartbeatSeconds: settings.heartbeatSeconds)
        }
    }

    /// A daemon is ready for systemd before it has reached PostgreSQL: where none is there, one that was started just
    /// now has three seconds to say so.
    private func workers(_ store: Store) async throws -> [WorkerLiveness] {
        let patience = ContinuousClock.now + .seconds(3)
        while true {
            let found = try await registered(store)
            guard found.isEmpty, ContinuousClock.now < patience else { return found }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    func daemons(_ store: Store) async -> Finding {
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

    func paused(_ store: Store) async -> Finding {
        await finding("paused") {
            let workers = try await registered(store)
            let paused = workers.filter(\.isPaused).map(\.name)
            guard paused.isEmpty else {
                throw Doctor.Trouble("\(paused.joined(separator: ", ")) starts no new work; atelierctl resume")
            }
            let faults = workers.compactMap { worker in
                worker.fault.map { "\(worker.name) starts no new work: \($0.words)" }
            }
            guard faults.isEmpty else {
                throw Doctor.Trouble(faults.joined(separator: ", ") + "; the daemon's log says more")
            }
            return "nobody"
        }
    }

    /// Jobs that are ready, and how long the oldest has waited beside a slot of its kind that is free, at a worker with
    /// the models, the memory and the room. What no worker can do is another line's. The kinds in $1 take the one kind
    /// of slot, all others the other; how many of each a worker has the tables do not know: where none is taken one is
    /// free. Groups that wait are found as `atelier.claim` finds them, by the index, and of each its first job: a
    /// backlog is counted, but not gone through.
    private static let ready = """
        with recursive groups as (
            (select tenant, needs, kind, priority from atelier.jobs
                where state = 'available' and kind <> 'probe' order by tenant, needs, kind, priority limit 1)
            union all
            select n.* from groups g, lateral (
                select j.tenant, j.needs, j.kind, j.priority from atelier.jobs j
                where j.state = 'available' and j.kind <> 'probe'
                    and (j.tenant, j.needs, j.kind, j.priority) > (g.tenant, g.needs, g.kind, g.priority)
                order by j.tenant, j.needs, j.kind, j.priority limit 1) n),
        running as (
            select worker, kind = any ($1::text[]) as is_training
            from atelier.jobs where state = 'running' and kind <> 'probe'),
        free as (
            select w.id, w.memory_bytes, w.disk_bytes, s.is_training
            from atelier.workers w cross join (values (true), (false)) s(is_training)
            where w.gone_at is null and not w.paused
                and w.slots > (select count(*) from running b where b.worker = w.id)
                and not exists (select from running b where b.worker = w.id and b.is_training = s.is_training)),
        beside as (
            select h.run_after
            from groups g join free f on f.is_training = (g.kind = any ($1::text[]))
                and not exists (
                    select from string_to_table(g.needs, ' ') n(need) where not exists (
                        select from atelier.worker_models m where m.worker = f.id
                            and n.need in (m.model || '@', m.model || '@' || m.digest))),
                lateral (
                    select j.run_after from atelier.jobs j
                    where j.state = 'available' and j.kind <> 'probe' and j.tenant = g.tenant and j.needs = g.needs
                        and j.kind = g.kind and j.priority = g.priority
                        and coalesce(
                            0.75 * (j.estimate->>'memory_bytes')::double precision <= f.memory_bytes, true)
                        and (coalesce((j.estimate->>'disk_bytes')::bigint <= f.disk_bytes, true)
                            or exists (select from atelier.checkpoints c where c.job = j.id))
                    order by j.run_after, j.number limit 1) h)
        select (select count(*) from atelier.jobs where state = 'available' and kind <> 'probe') as jobs,
            coalesce(round(extract(epoch from now() - min(run_after))), 0) as oldest
        from beside
        """

    func waiting(_ store: Store) async -> Finding {
        await finding("waiting") {
            let kinds = SlotKind.training.kinds.map(\.rawValue).joined(separator: ",")
            let row = try await store.query(Self.ready, ["{\(kinds)}"]).first
            guard number(row, "oldest") < 60 else {
                throw Doctor.Trouble(
                    """
                    a job is ready since \(row?["oldest"] ?? "") s although a slot for it is free; look into the \
                    daemon's log, and at the disk below
                    """
                )
            }
            return counted(count(row, "jobs"), "job") + " ready"
        }
    }

    func withoutWorker(_ store: Store) async -> Finding {
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
                    (engineMemoryMiB), or make room on the disk, or cancel them
                    """
                )
            }
            return "no job waits for a model that no worker holds"
        }
    }

    /// What a worker would have to have.
    private func lack(of row: Row) -> String {
        let code = row["lacks"] ?? ""
        if code == "worker.disk" {
            let (needed, free) = (number(row, "disk_bytes"), number(row, "largest_disk_bytes"))
            return " up to \(Int(needed) >> 20) MiB on the disk, where \(Int(free) >> 20) MiB are free [\(code)]"
        }
        guard code == "worker.memory" else { return " [\(code)]" }
        let (needed, largest) = (number(row, "memory_bytes"), number(row, "largest_memory_bytes"))
        return " up to \(Int(needed) >> 20) MiB of memory, where \(Int(largest) >> 20) MiB is the most [\(code)]"
    }

    /// What engines and jobs did wrong; attempts that were lost with their daemon are that one's failure.
    func failures(_ store: Store) async -> Finding {
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
            return "\(count(row, "failed")) of \(counted(count(row, "ended"), "attempt")) of the last hour"
        }
    }

    func rejections(_ store: Store) async -> Finding {
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
            return counted(count(row, "rejected"), "message") + " of the last hour"
        }
    }

    func outbox(_ store: Store) async -> Finding {
        await finding("outbox") {
            let row = try await store.query(
                """
                select waiting, coalesce(oldest_seconds, 0) as oldest, an_error, set_aside, set_aside_error
                from dashboard.outbox
                """
            ).first
            guard number(row, "set_aside") == 0 else {
                throw Doctor.Trouble(
                    """
                    \(counted(count(row, "set_aside"), "message", "was", "were")) set aside: \
                    \(row?["set_aside_error"] ?? ""); select atelier.resend_set_aside() tries again
                    """)
            }
            guard number(row, "oldest") < 60 else {
                throw Doctor.Trouble(
                    """
                    \(counted(count(row, "waiting"), "message")) could not leave, the oldest since \
                    \(row?["oldest"] ?? "") s: \(row?["an_error"] ?? "no daemon sends them, or the broker is away")
                    """
                )
            }
            return counted(count(row, "waiting"), "message", "waits", "wait")
        }
    }
}
