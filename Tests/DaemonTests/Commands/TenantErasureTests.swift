import Broker
import Daemon
import DaemonTesting
import Foundation
import Hashing
import Jobs
import ServerTesting
import Store
import Testing

/// `atelierctl tenants erase`, beside a real daemon that goes on with another tenant's work.
@Suite(.serialized, .timeLimit(.minutes(15))) struct TenantErasureTests {
    /// What is in everything that bob sends, and in nothing else.
    private static let secret = "bobs-own-words"
    /// The picture that both tenants learn from; the scripted engine does not look at it.
    private static let shared = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

    private func publish(
        _ body: Data, _ id: String, as tenant: String, _ stage: Stage, _ headers: [String: FieldValue] = [:]
    ) async throws {
        let publisher = try stage.publisher(as: tenant)
        let message = OutgoingMessage(
            exchange: stage.names.exchange, routingKey: TopologyNames.jobsRoutingKey,
            properties: MessageProperties(messageID: id, userID: tenant, headers: headers), body: Array(body))
        // The daemon may just be declaring what takes it.
        try await stage.until("\(id) is published") { await publisher.publish(message) == .confirmed }
        await publisher.stop()
    }

    /// A job of bob's with a picture of its own beside the shared one.
    private func learning() throws -> Data {
        guard
            case .object(var body) = try JSONValue(
                json: Script.personalization("rex", seed: 1, script: "steps=2 adapter preview \(Self.secret)"))
        else { throw CancellationError() }
        let own = Self.shared + Data(Self.secret.utf8)
        body["images"] = .array(
            [Self.shared, own].map { ["png": .string($0.base64EncodedString())] })
        return JSONValue.object(body).line
    }

    @Test func nothingOfATenantRemainsAndNothingOfOthersGoes() async throws {
        let servers = try await Servers.startOwn()
        for user in ["bob", "alice"] {
            try await servers.rabbitmqctl("add_user", user, "secret")
            try await servers.rabbitmqctl("set_permissions", user, ".*", ".*", ".*")
        }
        let settings = [
            "ATELIER_ENGINE": Stage.programs + "/scripted-engine", "ATELIER_USER_ID": "required",
            "ATELIER_DRAWING_SLOTS": "2",
        ]
        try await Stage.with(servers, settings: settings) { stage in
            try stage.start()
            let bobs = try await bobsLife(stage)
            let steps = 1500
            try await publish(
                Script.personalization("max", seed: 2, script: "steps=2 adapter"), "alice learns", as: "alice", stage)
            _ = try await stage.job("alice learns", reaches: .completed)
            try await publish(Script.body("steps=\(steps) delay=20"), "alice draws", as: "alice", stage)
            _ = try await stage.job("alice draws", reaches: .running)
            let alices = try await held("alice", stage)
            #expect(alices.count >= 3 && !bobs.isDisjoint(with: alices), "the shared picture is both's")

            let erasing = Task { try await stage.control("tenants", "erase", "bob", "--yes", "--wait", "240") }
            try await stage.until("bob's rows are gone") {
                try await stage.store.query("select 1 from atelier.jobs where tenant = 'bob'").isEmpty
            }
            #expect(try await stage.job("alice draws", reaches: .running)["attempt"] == 1)
            age(bobs.union(alices), in: stage)
            let erased = try await erasing.value
            #expect(erased.status == 0 && erased.output.contains("nothing remains"), "\(erased) \(stage.log)")
            let counts = erased.lines.compactMap { Int($0.split(separator: " ").first ?? "") }
            #expect(counts.count >= 8 && counts.allSatisfy { $0 == 0 }, "\(erased)")

            try await rowsAreGone(stage, bobs.subtracting(alices))
            try filesAreGone(stage, bobs.subtracting(alices))
            let row = try await stage.store.objects("select * from atelier.tenant_erasures")
            #expect(row.count == 1 && row[0]["tenant"] == "bob" && row[0]["jobs"] == 4 && row[0]["concepts"] == 1)
            #expect(row[0]["rejections"] == 1 && row[0]["ended_at"] != .null && row[0]["digests"] == [])
            #expect(row[0]["asked_by"]?.string == stage.roleName("admin"))

            // Alice's job was disturbed by none of it, and all she had is there to the last byte.
            let drawn = try await stage.job("alice draws", reaches: .completed)
            #expect(drawn["attempt"] == 1 && drawn.digest(of: "picture") == Script.picture(steps))
            #expect(try await stage.store.newestConcepts(tenant: "alice").map(\.name) == ["max"])
            for digest in alices { #expect(artifacts(stage).problem(of: digest) == nil, "\(digest)") }
            let again = try await stage.control("tenants", "erase", "bob", "--yes")
            #expect(again.status == 66 && again.errors.contains("there is nothing of bob"), "\(again)")
        }
        try await servers.remove()
    }

    /// A concept, a job that failed, one that waits for its time, one that runs, and a message that is none. Gives the
    /// digests of its files.
    private func bobsLife(_ stage: Stage) async throws -> Set<SHA256Digest> {
        try await publish(learning(), "bob learns", as: "bob", stage)
        let learnt = try await stage.job("bob learns", reaches: .completed)
        #expect(learnt.digest(of: "adapter") != nil && learnt.digest(of: "picture") != nil, "\(learnt)")
        try await publish(Script.body("fail=fatal \(Self.secret)"), "bob fails", as: "bob", stage)
        _ = try await stage.job("bob fails", reaches: .discarded)
        let later = (Date() + 86_400).formatted(.iso8601)
        try await publish(
            Script.body("steps=1 \(Self.secret)"), "bob waits", as: "bob", stage, ["run_after": .string(later)])
        _ = try await stage.job("bob waits", reaches: .scheduled)
        try await publish(
            Data(#"{"version":1,"kind":"generate","prompts":["\#(Self.secret)"]}"#.utf8), "bob errs", as: "bob", stage)
        try await stage.until("it is rejected") {
            try await stage.store.query("select 1 from atelier.rejections where tenant = 'bob'").count == 1
        }
        try await publish(Script.body("steps=5000 delay=20 \(Self.secret)"), "bob draws", as: "bob", stage)
        _ = try await stage.job("bob draws", reaches: .running)
        let shown = try await stage.control("tenants", "show", "bob")
        #expect(shown.status == 0 && !shown.output.contains("nothing remains"), "\(shown)")
        return try await held("bob", stage)
    }

    private func held(_ tenant: String, _ stage: Stage) async throws -> Set<SHA256Digest> {
        Set(
            try await stage.store.query("select sha256 from atelier.tenant_artifacts where tenant = $1", [tenant])
                .compactMap { $0["sha256"].flatMap { SHA256Digest($0) } })
    }

    private func artifacts(_ stage: Stage) -> ArtifactDirectory {
        ArtifactDirectory(existing: stage.folder.path + "/artifacts")
    }

    /// Files younger than five minutes are left alone.
    private func age(_ digests: Set<SHA256Digest>, in stage: Stage) {
        let old = timeval(tv_sec: 1000, tv_usec: 0)
        for digest in digests { utimes(artifacts(stage).path(of: digest), [old, old]) }
    }

    /// No table but the one that tells of it has a row with the tenant's name, its words or its files.
    private func rowsAreGone(_ stage: Stage, _ digests: Set<SHA256Digest>) async throws {
        let tables = try await stage.store.query(
            "select table_name as name from information_schema.tables where table_schema = 'atelier'"
        ).compactMap { $0["name"] }
        #expect(tables.count > 15, "\(tables)")
        let hexadecimal = Self.secret.utf8.map { String($0, radix: 16) }.joined()
        let traces = ["bob", hexadecimal] + digests.map(\.description)
        for table in tables where table != "tenant_erasures" {
            let found = try await stage.store.query(
                "select r::text as row from atelier.\(table) r where r::text ~ $1",
                [traces.joined(separator: "|")])
            #expect(found.isEmpty, "\(table): \(found)")
        }
    }

    /// No file has the tenant's words, and none is called like one of its own.
    private func filesAreGone(_ stage: Stage, _ digests: Set<SHA256Digest>) throws {
        for digest in digests { #expect(try !artifacts(stage).contains(digest), "\(digest)") }
        let files = FileManager.default.enumerator(atPath: stage.folder.path)
        let words = Data(Self.secret.utf8)
        while let name = files?.nextObject() as? String {
            let contents = FileManager.default.contents(atPath: "\(stage.folder.path)/\(name)")
            #expect(contents?.range(of: words) == nil, "\(name)")
        }
    }
}
