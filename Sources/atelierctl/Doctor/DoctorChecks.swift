import Daemon
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
            findings += [await clock(store), await encoding(store), schema]
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
        // Whatever of the host lies on a mount that hangs, the others need not wait for it too.
        async let engine = self.engine()
        async let models = self.models()
        async let state = self.state()
        async let disk = self.disk()
        return await findings + [engine, models, state, disk]
    }

    func finding(_ check: String, _ body: () async throws -> String) async -> Finding {
        do { return Finding(check: check, problem: nil, detail: try await body()) } catch {
            return Finding(check: check, problem: "\(error)", detail: "")
        }
    }

    func number(_ row: Row?, _ column: String) -> Double { row?[column].flatMap { Double($0) } ?? 0 }

    func count(_ row: Row?, _ column: String) -> Int { Int(number(row, column)) }
}
