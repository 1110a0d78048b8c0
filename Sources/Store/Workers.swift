import Foundation
import Jobs

/// A model that a worker holds.
package struct WorkerModel: Sendable, Equatable {
    /// Its name, and its folder's.
    package let model: String
    /// Of its files, as the catalogue tells it.
    package let digest: String
    /// What it says of itself, for the other daemons; nil where nobody needs that.
    package let description: ModelDescription?

    /// The files of `digest` under the name `model`.
    package init(model: String, digest: String) { (self.model, self.digest, description) = (model, digest, nil) }

    /// A model of a catalogue.
    package init(_ description: ModelDescription) {
        (model, digest, self.description) = (description.name, description.digest, description)
    }
}

/// What a heartbeat tells a worker.
package struct Heartbeat: Sendable {
    /// Whether the worker still counts; false: it was given up and must register anew.
    package let isKnown: Bool
    /// The jobs it owns.
    package let owned: [UUID: Int]
    /// Those of them somebody wants cancelled.
    package let cancelling: [UUID]
}

extension Store {
    /// Registers a worker; gives how many jobs of its dead predecessor in the same state folder became free.
    package func register(_ worker: UUID, name: String, host: String, stateDirectory: String, slots: Int) throws -> Int
    {
        let rows = try query(
            "select atelier.register($1::uuid, $2, $3, $4, $5::int, $6::int) as rescued",
            [worker.uuidString, name, host, stateDirectory, String(getpid()), String(slots)])
        return rows.first?["rescued"].flatMap { Int($0) } ?? 0
    }

    /// Says that the worker leaves; what it still owned becomes free.
    package func leave(_ worker: UUID) throws { try query("select atelier.leave($1::uuid)", [worker.uuidString]) }

    /// Says which models a worker holds, instead of what was said before: it claims no job that needs another.
    package func registerModels(_ models: [WorkerModel], of worker: UUID) throws {
        let list = JSONValue.array(
            try models.map { model in
                .object([
                    "model": .string(model.model), "digest": .string(model.digest),
                    "description": try model.description.map { try JSONValue($0) } ?? .null,
                ])
            })
        try query("select atelier.register_models($1::uuid, $2::jsonb)", [worker.uuidString, list.text])
    }

    /// Beats, and says whether the worker is paused, or by which fault of its host it starts no new work.
    package func beat(_ worker: UUID, isPaused: Bool = false, fault: String? = nil) throws -> Heartbeat {
        let rows = try query(
            "select * from atelier.beat($1::uuid, $2::boolean, $3::text)",
            [worker.uuidString, isPaused ? "t" : "f", fault])
        var owned: [UUID: Int] = [:]
        var cancelling: [UUID] = []
        for row in rows {
            guard let job = row["job"].flatMap(UUID.init(uuidString:)) else { continue }
            owned[job] = row["attempt"].flatMap { Int($0) } ?? 0
            if row["cancelling"] == "t" { cancelling.append(job) }
        }
        return Heartbeat(isKnown: rows.first?["known"] == "t", owned: owned, cancelling: cancelling)
    }

    /// The mark of the folder that artifacts lie in, nil before there is one; the first proposal becomes it.
    package func sharedMark(proposal: UUID?) throws -> UUID? {
        try query("select atelier.shared_mark($1::uuid) as mark", [proposal?.uuidString]).first?["mark"].flatMap(
            UUID.init(uuidString:))
    }
}
