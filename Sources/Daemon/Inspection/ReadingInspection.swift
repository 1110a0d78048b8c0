import Broker
import Foundation
import Jobs
import Store

extension MessageReader.Reading {
    /// The same with what an engine found in the message: a job with problems is none, and a job's warnings are told
    /// when it is accepted. Where the message itself is at fault, nothing more is said of the same place.
    /// - Parameters:
    ///   - stored: what the tables hold against a job.
    ///   - host: on whose rates a job is priced.
    func with(
        _ report: InspectionReport?, _ stored: [Problem], _ delivery: Delivery, host: String
    ) -> MessageReader.Reading {
        switch self {
        case .job(var submission, let spec):
            let problems = (report?.problems ?? []) + stored
            guard problems.isEmpty else { return .rejected(submission.rejection(problems, delivery)) }
            submission.warnings += report?.warnings ?? []
            submission.cost = (report?.cost).map { ($0, host) }
            return .job(submission, spec)
        case .rejected(var rejection):
            rejection.problems += report?.furtherProblems(beside: rejection.problems) ?? []
            return .rejected(rejection)
        }
    }
}

extension Submission {
    /// That the message is no job after all.
    func rejection(_ problems: [Problem], _ delivery: Delivery) -> Rejection {
        Rejection(
            tenant: tenant, messageID: messageID, kind: kind.rawValue, problems: problems, body: Data(delivery.body),
            replyTo: replyTo, correlationID: correlationID)
    }
}

extension InspectionReport {
    /// Its problems in places that nothing was found wrong with before.
    package func furtherProblems(beside known: [Problem]) -> [Problem] {
        let places = Set(known.map(\.pointer))
        return (problems ?? []).filter { !places.contains($0.pointer) }
    }

    /// What is said where nobody could look.
    static func unavailable(for order: InspectionOrder) -> InspectionReport {
        InspectionReport(
            id: order.id,
            warnings: order.pictures.isEmpty
                ? [] : ["the pictures could not be looked into; the job begins with that"])
    }
}
