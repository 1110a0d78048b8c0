import Checkpoints
import Foundation
import Glibc
import Jobs
import Personalization
import Tensors

/// One order, carried out: the program behind `atelier-engine work`.
package struct EngineWork {
    private let connection: EngineConnection

    /// - Parameter connection: which hears of everything, failures among it.
    package init(connection: EngineConnection) { self.connection = connection }

    /// Reads the order from stdin and does it; what went wrong is an event, not an exit status.
    package func run() {
        StopRequest.listen()
        let ending = ending()
        // It has one last word, which nobody may break into.
        StopRequest.hold()
        connection.send(ending)
    }

    private func ending() -> EngineEvent {
        do {
            let order = try EngineConnection.order()
            let start = Date()
            let result = try work(order)
            return .done(
                .init(
                    result: result, seconds: Date().timeIntervalSince(start), peakMemoryBytes: ProcessMemory.peakBytes))
        } catch let stop as AskedToStop {
            return .interrupted(.init(step: stop.step))
        } catch let failure as JobFailure {
            return failure.event
        } catch let error as AdapterError {
            return JobFailure(code: "concept.unusable", consequence: .rejected, message: "\(error)").event
        } catch {
            return JobFailure(
                code: EngineWork.isOfDisk(error) ? "host.disk" : "engine.error", consequence: .transient,
                message: sentence(of: error)
            ).event
        }
    }

    /// Whether the file system is at fault, and not what was to be written.
    static func isOfDisk(_ error: any Error) -> Bool {
        errorNumber(of: error).map([ENOSPC, EDQUOT, EROFS, EIO, ESTALE].contains) ?? false
    }

    /// Does what the order asks for, and gives signs of life meanwhile; gives the job's result.
    /// - Throws: `AskedToStop` where the daemon asked; `JobFailure` where the job cannot be done.
    func work(_ order: EngineOrder) throws -> JSONValue {
        try SignOfLife.giving(by: connection.sendAlive, during: { try carryOut(order) })
    }

    /// Loads the model and says so, then does what the order asks for.
    private func carryOut(_ order: EngineOrder) throws -> JSONValue {
        func loaded(_ name: String) throws -> LoadedModel {
            let model = try LoadedModel(name, in: order.models, size: order.spec.size)
            connection.sendStarted(on: model)
            return model
        }
        switch order.spec {
        case .personalize(let spec) where spec.method == .proxyTuning:
            return try ProxyTuningWorker(
                spec: spec, order: order, loaded: loaded(spec.model), connection: connection
            ).run()
        case .personalize(let spec):
            return try PersonalizeWorker(
                spec: spec, order: order, loaded: loaded(spec.model), connection: connection
            ).run()
        case .generate(let spec):
            return try GenerateWorker(
                spec: spec, order: order, loaded: loaded(spec.model), connection: connection
            ).run()
        case .compose(let spec):
            return try GenerateWorker(
                spec: spec.drawing, joined: spec, order: order, loaded: loaded(spec.drawing.model),
                connection: connection
            ).run()
        // It loads a model for each concept: one of here would lie beside them.
        case .evaluate(let spec): return try EvaluateWorker(spec: spec, order: order, connection: connection).run()
        case .probe:
            throw JobFailure(
                code: "job.kind", consequence: .rejected, message: "a probe needs no engine: the daemon answers it")
        }
    }
}
