import Foundation
import Jobs
import ServerTesting
import Store
import Testing

/// How a database comes to the schema: from nothing, from the version before, by changed files, by several at once.
@Suite(.timeLimit(.minutes(10))) struct MigrationTests {
    /// A copy of `sql` that may be changed.
    private func withCopy(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let source = URL(filePath: Servers.root + "/sql").resolvingSymlinksInPath().path
        try FileManager.default.copyItem(atPath: source, toPath: folder)
        try await body(folder)
    }

    private func append(_ text: String, to file: String) throws {
        try (String(contentsOfFile: file, encoding: .utf8) + text).write(
            toFile: file, atomically: true, encoding: .utf8)
    }

    @Test func eachFileIsAppliedOnceAndAChangedMigrationIsNoticed() async throws {
        try await Stage.with(migrated: false) { stage in
            try await withCopy { folder in
                let migrations = try Migrations(directory: folder)
                #expect(try await migrations.apply(to: stage.store) == migrations.files.map(\.name))
                #expect(try await migrations.apply(to: stage.store).isEmpty)
                try append("\n-- changed", to: folder + "/" + migrations.files[0].name)
                let changed = try Migrations(directory: folder)
                #expect(try await changed.standing(in: stage.store)[0].standing == .changed)
                await #expect(throws: StoreError.self) { _ = try await changed.apply(to: stage.store) }
            }
        }
    }

    @Test func aChangedFunctionIsAppliedAgainWithItsGrants() async throws {
        try await Stage.with { stage in
            try await withCopy { folder in
                try append(
                    "create function atelier.one() returns int language sql as 'select 1';",
                    to: folder + "/functions/claim.sql")
                try append("grant execute on function atelier.one() to atelier_daemon;", to: folder + "/roles.sql")
                let changed = try Migrations(directory: folder)
                #expect(
                    try await changed.standing(in: stage.store).filter { $0.standing != .applied }.map(\.file.name)
                        == ["functions/claim.sql", "roles.sql"])
                #expect(try await changed.apply(to: stage.store) == ["functions/claim.sql", "roles.sql"])
                #expect(try await changed.apply(to: stage.store).isEmpty)
                #expect(await stage.refusal("set role atelier_daemon; select atelier.one(); reset role") == nil)
                #expect(await stage.refusal("set role atelier_admin; select atelier.one()") == "42501")
            }
        }
    }

    @Test func whatIsRefusedChangesNothingAndNamesItsFile() async throws {
        try await Stage.with(migrated: false) { stage in
            try await withCopy { folder in
                try append("select 1 / 0;", to: folder + "/views/queue.sql")
                let broken = try Migrations(directory: folder)
                await #expect(
                    throws: StoreError.refused(state: "22012", message: "sql/views/queue.sql: division by zero")
                ) { _ = try await broken.apply(to: stage.store) }
                #expect(try await stage.store.query("select 1 from pg_namespace where nspname = 'atelier'").isEmpty)
            }
        }
    }

    /// As the template of a server is that was made where no locale is set.
    @Test func aDatabaseThatIsNotInUTF8IsRefused() async throws {
        let servers = try await Servers.running()
        let url = try await servers.makeDatabase("template template0 encoding 'SQL_ASCII' locale 'C'")
        let store = Store(url: url, application: "test")
        let migrations = try Migrations(directory: Servers.root + "/sql")
        let error = try await #require(throws: StoreError.self) { try await migrations.apply(to: store) }
        #expect(error.description.hasPrefix("this database is in SQL_ASCII, which cuts texts"), "\(error)")
        try await servers.dropDatabase(url)
    }

    @Test func migrationsAtTheSameTimeApplyEachFileOnce() async throws {
        try await Stage.with(migrated: false) { stage in
            let migrations = try Migrations(directory: Servers.root + "/sql")
            let names = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<3 {
                    group.addTask { try await migrations.apply(to: Store(url: stage.url, application: "test")) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(names == migrations.files.map(\.name))
        }
    }

    @Test func whoMigratesKeepsNoRightToCreateRoles() async throws {
        try await Stage.with(migrated: false) { stage in
            let name = "owner_\(UUID().uuidString.prefix(8).lowercased())"
            var url = try #require(URLComponents(string: stage.url))
            let database = url.path.dropFirst()
            try await stage.store.script(
                """
                create role \(name) login createrole password 'x';
                alter database "\(database)" owner to \(name);
                """)
            (url.user, url.password) = (name, "x")
            let owner = Store(url: try #require(url.string), application: "test")
            _ = try await Migrations(directory: Servers.root + "/sql").apply(to: owner)
            let kept = try await owner.query("select rolcreaterole from pg_roles where rolname = current_user")
            #expect(kept.first?["rolcreaterole"] == "f")
            #expect(try await Migrations(directory: Servers.root + "/sql").apply(to: owner).isEmpty)
            try await stage.store.script("reassign owned by \(name) to current_user; drop owned by \(name)")
            try await stage.store.script("drop role \(name)")
        }
    }

    /// What a version before it could not tell whose it is, is found by what is left.
    @Test func whatWasDeletedIsGivenItsTenant() async throws {
        try await Stage.with(migrated: false) { stage in
            try await withCopy { folder in
                for name in try FileManager.default.contentsOfDirectory(atPath: folder + "/migrations")
                where name.hasPrefix("0017") {
                    try FileManager.default.removeItem(atPath: "\(folder)/migrations/\(name)")
                }
                _ = try await Migrations(directory: folder).apply(to: stage.store)
            }
            try await stage.store.script(
                """
                insert into atelier.jobs (tenant, message_id, kind, spec, state, finalized_at, result) values
                    ('bob', '1', 'personalize', '{"concept": {"name": "rex"}}', 'completed', now(), '{}'),
                    ('bob', '2', 'personalize', '{"concepts": [{"name": "mia"}]}', 'completed', now(), '{}');
                insert into atelier.concept_versions (name_sha256, last)
                    select sha256(convert_to('bob' || chr(31) || n, 'UTF8')), 1
                    from unnest(array['rex', 'mia', 'pruned']) n;
                insert into atelier.tenant_artifacts values ('bob', repeat('a', 64)), ('bob', repeat('b', 64));
                insert into atelier.artifacts (job, name, role, media_type, sha256, bytes)
                    select id, 'x', 'picture', 'image/png', repeat('a', 64), 1 from atelier.jobs where message_id = '1';
                insert into atelier.erasures (sha256) values (repeat('c', 64));
                insert into atelier.tenant_erasures (tenant, asked_by, digests)
                    values ('bob', 'me', array[repeat('c', 64)]);
                """)
            _ = try await Migrations(directory: Servers.root + "/sql").apply(to: stage.store)
            let left = try await stage.store.query(
                """
                select (select count(*) from atelier.concept_versions where tenant = 'bob') as names,
                    (select count(*) from atelier.concept_versions where tenant is null) as unknown,
                    (select string_agg(left(sha256, 1), '') from atelier.tenant_artifacts) as held,
                    (select tenants::text from atelier.erasures) as erasing
                """
            ).first
            #expect(left?["names"] == "2" && left?["unknown"] == "1", "\(String(describing: left))")
            #expect(left?["held"] == "a" && left?["erasing"] == "{bob}", "\(String(describing: left))")
        }
    }

    // MARK: - the version before

    /// A database that the files of the version before made, with a job in every state, in the test's own place.
    private func withTheVersionBefore(_ body: (Stage) async throws -> Void) async throws {
        try await Stage.with { _ in }  // makes the roles, to which the version before grants
        try await Stage.with(migrated: false) { stage in
            let dump = Servers.root + "/Tests/StoreTests/Fixtures/before-the-squash.dump"
            try await Store(url: stage.url, application: "test").script(String(contentsOfFile: dump, encoding: .utf8))
            try await body(stage)
        }
    }

    @Test func theVersionBeforeUpgradesToTheSchemaOfToday() async throws {
        try await withTheVersionBefore { stage in
            let migrations = try Migrations(directory: Servers.root + "/sql")
            let standing = try await migrations.standing(in: stage.store)
            #expect(standing.first?.standing == .applied && standing.last?.standing == .pending)
            _ = try await migrations.apply(to: stage.store)
            #expect(try await migrations.standing(in: stage.store).allSatisfy { $0.standing == .applied })
            let upgraded = try await catalogue(of: stage.store)
            try await Stage.with { fresh in
                let expected = try await catalogue(of: fresh.store)
                #expect(expected.count > 300)
                #expect(upgraded.subtracting(expected) == [] && expected.subtracting(upgraded) == [])
            }
        }
    }

    @Test func theJobsOfTheVersionBeforeGoOn() async throws {
        try await withTheVersionBefore { stage in
            let store = stage.store
            _ = try await Migrations(directory: Servers.root + "/sql").apply(to: store)
            let jobs = try await store.query("select message_id, state, id from atelier.jobs")
            let states = Dictionary(uniqueKeysWithValues: jobs.map { ($0["message_id"] ?? "", $0["state"] ?? "") })
            #expect(
                states == [
                    "learnt": "completed", "learnt again": "completed", "scored": "completed", "running": "running",
                    "broken": "discarded", "waiting": "available", "later": "scheduled", "unwanted": "cancelled",
                    "probe": "completed",
                ])
            #expect(try await store.newestConcepts(tenant: "t").map(\.adapter) == [String(repeating: "5", count: 64)])
            let order = try await store.pauseOrder()
            #expect(order.isPaused && order.number == 1)
            #expect(
                try await store.sharedMark(proposal: nil)
                    == UUID(uuidString: "00000000-0000-4000-8000-0000000000ff"))
            let running = try #require(
                jobs.first { $0["message_id"] == "running" }?["id"].flatMap(UUID.init(uuidString:)))
            #expect(try await store.checkpoints(of: running).map(\.step) == [1])
            let end = AttemptResult(outcome: .completed, result: .object([:]))
            #expect(try await store.finish(running, 1, end) == .completed, "its attempt still owns it")
            let claimed = try await stage.claimOne(try await stage.worker())
            #expect(claimed.messageID == "waiting" && claimed.attempt == 1)
            try await stage.submit("new")
            #expect(try await store.outbox(.fresh, limit: 100).filter { $0.event == "accepted" }.count == 8)
        }
    }

    @Test func aHalfAppliedVersionBeforeIsRefusedAndLeftAlone() async throws {
        try await withTheVersionBefore { stage in
            try await stage.store.query("delete from atelier.schema_migrations where name >= '0037'")
            try await expectRefusal(stage, "has only 19 of the 21 files of the version before: 0037_scores.sql, 0038")
        }
        try await withTheVersionBefore { stage in
            try await stage.store.query("update atelier.schema_migrations set checksum = 'x' where name like '0020%'")
            try await expectRefusal(stage, "0020_probes.sql was applied to this database in another form")
        }
        try await withTheVersionBefore { stage in
            try await stage.store.query("drop table atelier.schema_migrations")
            try await expectRefusal(stage, "no table atelier.schema_migrations that tells which files made them")
        }
    }

    private func expectRefusal(_ stage: Stage, _ words: String) async throws {
        do {
            _ = try await Migrations(directory: Servers.root + "/sql").apply(to: stage.store)
            Issue.record("it was not refused")
        } catch StoreError.refused(_, let message) { #expect(message.contains(words), "\(message)") }
        let former = try await stage.store.query("select to_regclass('atelier.house') is not null as found")
        #expect(former.first?["found"] == "t")
    }

    /// A line for everything the schemas hold: relations with their columns in order, options, comments and grants;
    /// constraints, indexes, triggers, types, views and functions by their definitions.
    private func catalogue(of store: Store) async throws -> Set<String> {
        let lines = try await store.query(
            """
            with names as (select oid, nspname from pg_namespace where nspname in ('atelier', 'dashboard'))
            select concat_ws(' ', 'relation', c.oid::regclass, c.relkind, c.reloptions, c.relacl,
                obj_description(c.oid, 'pg_class')) as line
            from pg_class c join names n on n.oid = c.relnamespace
            union all
            select concat_ws(' ', 'column', a.attrelid::regclass,
                (select count(*) from pg_attribute b
                    where b.attrelid = a.attrelid and b.attnum <= a.attnum and b.attnum > 0 and not b.attisdropped),
                a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
            from pg_attribute a join pg_class c on c.oid = a.attrelid join names n on n.oid = c.relnamespace
                left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v')
            union all
            select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(k.oid))
            from pg_constraint k join names n on n.oid = k.connamespace
            union all
            select concat_ws(' ', 'index', pg_get_indexdef(indexrelid))
            from pg_index i join pg_class c on c.oid = i.indexrelid join names n on n.oid = c.relnamespace
            union all
            select concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid))
            from pg_trigger g join pg_class c on c.oid = g.tgrelid join names n on n.oid = c.relnamespace
            where not tgisinternal
            union all
            select concat_ws(' ', 'value', enumtypid::regtype, enumsortorder, enumlabel) from pg_enum
            union all
            select concat_ws(' ', 'view', c.oid::regclass, pg_get_viewdef(c.oid))
            from pg_class c join names n on n.oid = c.relnamespace where c.relkind = 'v'
            union all
            select concat_ws(' ', 'function', p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl,
                obj_description(p.oid, 'pg_proc'))
            from pg_proc p join names n on n.oid = p.pronamespace
            """)
        return Set(lines.compactMap { $0["line"] })
    }
}
