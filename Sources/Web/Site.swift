import Broker
import Daemon
import Foundation
import Hummingbird
import Jobs
import Logging
import Store

/// What the pages are made from and act with.
struct Site: Sendable {
    let reader: Reader
    let overview: Overview
    let artifacts: ArtifactDirectory
    let templates: Templates
    let assets: Assets
    let live: LiveFeed
    /// Nil: nobody may act on jobs here.
    let admin: Store?
    /// Nil: nothing can be published here.
    let publishing: JobPublishing?
    /// Nil: nobody can be asked what a job would take.
    let questions: EstimateQuestions?
    let deadLetters: DeadLetters?
    /// Where the models lie, with their cards; nil where they are not on this host.
    let models: String?
    let logger: Logger
    let sessions: Sessions
    let tokens: TokenFile?
    /// What is held of jobs that are sent.
    let bodies = BodyAllowance(most: WebContext.largestBody)

    /// What is said where nothing can be published, with what to configure.
    static let noBroker = """
        This program has no login at RabbitMQ, and publishes nothing and asks nobody. To give it one: the unit reads \
        /etc/atelier/web-amqp-url, which atelierctl setup writes; a program started by hand reads \
        ATELIER_AMQP_URL_FILE or ATELIER_AMQP_URL. Then start it again.
        """
    /// The same of what changes jobs and concepts.
    static let noAdmin = """
        This program has no login of the role atelier_admin, and may only look. To give it one: the unit reads \
        /etc/atelier/admin-url, which atelierctl setup writes; a program started by hand reads ATELIER_ADMIN_URL_FILE \
        or ATELIER_ADMIN_URL. Then start it again.
        """

    /// The store that acts on jobs and concepts.
    /// - Throws: 403, which says what to configure.
    func acting() throws -> Store {
        guard let admin else { throw HTTPError(.forbidden, message: Self.noAdmin) }
        return admin
    }

    /// What publishes.
    /// - Throws: 403, which says what to configure.
    func publisher() throws -> JobPublishing {
        guard let publishing else { throw HTTPError(.forbidden, message: Self.noBroker) }
        return publishing
    }

    /// What is wrong with a body; texts that look like a concept's name and are none beside those the tenant has.
    func named(_ problems: Problems, for tenant: String) async throws -> [Problem] {
        var concepts = LearntConcepts(source: reader)
        return try await concepts.naming(problems.list, tenant: tenant).bounded
    }

    /// What a page's frame shows.
    func frame(_ viewer: Viewer?, section: String, title: String) -> [String: Any] {
        let mayAct = viewer?.mayAct ?? false
        return [
            "title": title, "release": Release.version,
            "viewer": viewer?.name ?? NSNull(), "viewer_tenant": viewer?.tenant ?? NSNull(),
            "form_token": viewer?.formToken ?? "",
            "may_change": mayAct && admin != nil, "may_publish": mayAct && publishing != nil,
            "no_broker": mayAct && publishing == nil ? Self.noBroker : NSNull(), "may_act": mayAct,
            "may_replay": mayAct && deadLetters != nil && viewer?.tenant == nil,
            "sees_all": viewer != nil && viewer?.tenant == nil,
            "sections": Self.sections(viewer).map { id, name, path in
                ["name": name, "path": path, "is_current": id == section] as [String: Any]
            },
        ]
    }

    private static func sections(_ viewer: Viewer?) -> [(String, String, String)] {
        guard let viewer else { return [] }
        let all = [
            ("queue", "Queue", "/"), ("jobs", "Jobs", "/jobs"), ("concepts", "Concepts", "/concepts"),
            ("playground", "Playground", "/playground"), ("compare", "Compare", "/compare"),
            ("failures", "Failures", "/failures"), ("rejections", "Rejections", "/rejections"),
            ("dead", "Dead letters", "/dead"), ("models", "Models", "/models"),
        ]
        return all.filter { viewer.tenant == nil || $0.0 != "dead" }
    }
}
