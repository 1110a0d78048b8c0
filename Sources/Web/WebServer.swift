import Broker
import Daemon
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle
import Store

/// The web program, put together.
package enum WebServer {
    /// Runs until SIGTERM or SIGINT. Gives the exit status: 0 stopped as asked, 69 something needed is not there, 78
    /// wrong configuration.
    /// - Parameter started: is called with the port it listens at.
    package static func run(
        _ settings: Settings, started: @escaping @Sendable (Int) -> Void = { _ in }
    ) async -> Int32 {
        let threshold = LogThreshold(Logger.Level(rawValue: settings.logLevel) ?? .info)
        LoggingSystem.bootstrap { StandardErrorLog(label: $0, threshold: threshold) }
        let logger = Logger(label: "atelier-web")
        do {
            let site = try await site(settings, logger)
            try await serve(site, settings, started)
            logger.notice("stopped")
            return 0
        } catch let problems as SettingsProblems {
            logger.critical("the configuration has problems", metadata: ["problems": "\(problems)"])
            return 78
        } catch {
            logger.critical("stopped by an error", metadata: ["error": "\(error)"])
            return 69
        }
    }

    /// What the pages are made from.
    private static func site(_ settings: Settings, _ logger: Logger) async throws -> Site {
        let installation = Installation()
        guard let folder = installation.folder("web") else {
            throw SettingsProblems([installation.absence(of: "web") + "; install it beside sql and models"])
        }
        let isPrivate = AccessMiddleware.isThisMachine(settings.webAddress)
        guard isPrivate || !settings.webTokens.isEmpty else {
            throw SettingsProblems([
                "webAddress: \(settings.webAddress) is for others too, who must sign in: give webTokens"
            ])
        }
        let tokens: TokenFile?
        do { tokens = settings.webTokens.isEmpty ? nil : try TokenFile(path: settings.webTokens) } catch {
            throw SettingsProblems(["webTokens: \(error)"])
        }
        let reader = Reader(url: settings.postgresURL.reveal())
        let adminURL = settings.adminURL.reveal()
        let broker = settings.amqpURL.reveal().isEmpty ? nil : try settings.broker()
        let names = TopologyNames(prefix: settings.topologyPrefix)
        return Site(
            reader: reader,
            overview: Overview(
                reader: reader, lease: Double(settings.leaseSeconds), heartbeat: settings.heartbeatSeconds),
            artifacts: ArtifactDirectory(existing: settings.artifactsDirectory),
            templates: try await Templates(directory: folder + "/templates"),
            assets: try Assets(directory: folder + "/assets"), live: LiveFeed(url: settings.postgresURL.reveal()),
            admin: adminURL.isEmpty ? nil : Store(url: adminURL, application: "atelier-web/admin"),
            publishing: broker.map { JobPublishing($0, names: names) },
            questions: broker.map {
                EstimateQuestions($0, names: names, tenants: TenantRules(settings, user: $0.user))
            },
            deadLetters: broker.map { DeadLetters($0, names: names, largestBody: settings.messageMiB << 20) },
            models: settings.modelsDirectory.isEmpty ? nil : settings.modelsDirectory, logger: logger,
            sessions: Sessions(), tokens: tokens)
    }

    private static func serve(
        _ site: Site, _ settings: Settings, _ started: @escaping @Sendable (Int) -> Void
    ) async throws {
        let logger = site.logger
        let metrics = MetricsPage(site: site)
        let counting = Task { await metrics.begin() }
        defer { counting.cancel() }
        await warm(site)
        let application = Application(
            router: router(site, metrics),
            // Who begins to send something and stops keeps others' bodies out.
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(
                address: .hostname(settings.webAddress, port: settings.webPort), serverName: "atelier-web",
                availableConnectionsDelegate: MaximumAvailableConnections(
                    connections(ofFiles: sysconf(Int32(_SC_OPEN_MAX))))),
            services: [site.live],
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.notice(
                    "listening", metadata: ["web.url": "http://\(settings.webAddress):\(port)/"])
                started(port)
            }, logger: logger)
        try await application.runService()
    }

    /// How many connections are open at once where so many files may be: the rest is left to pictures and servers.
    /// Whoever comes then waits until one closes; to take what cannot be taken would be tried again without end.
    static func connections(ofFiles limit: Int) -> Int { max(limit / 2, limit - 128) }

    /// Makes the first page once before anybody asks, so that whoever comes first does not wait for connections, plans
    /// and caches; no longer than some seconds, for PostgreSQL may be away.
    private static func warm(_ site: Site) async {
        let (ends, end) = AsyncStream<Void>.makeStream()
        let drawing = Task {
            await site.overview.warm()
            try? await QueuePage(site: site).draw()
            end.yield()
        }
        let clock = Task {
            try? await Task.sleep(for: .seconds(5))
            end.yield()
        }
        for await _ in ends { break }
        drawing.cancel()
        clock.cancel()
    }

    /// All there is to ask for.
    private static func router(_ site: Site, _ metrics: MetricsPage) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: HeadRequests())
        router.add(middleware: SecurityHeaders())
        router.add(middleware: ErrorPages(site: site))
        router.add(middleware: AccessMiddleware(tokens: site.tokens, sessions: site.sessions))
        // Behind the door too: there it is known who asks, and what they may go on to.
        router.add(middleware: ErrorPages(site: site))
        site.assets.add(to: router)
        SignInPages(site: site).add(to: router)
        QueuePage(site: site).add(to: router)
        JobsPage(site: site).add(to: router)
        JobPage(site: site).add(to: router)
        NewJobPage(site: site).add(to: router)
        ConceptsPage(site: site).add(to: router)
        PlaygroundPage(site: site).add(to: router)
        ComparePage(site: site).add(to: router)
        TroublePages(site: site).add(to: router)
        ModelsPage(site: site).add(to: router)
        RunbookPage(site: site).add(to: router)
        metrics.add(to: router)
        Files(site: site).add(to: router)
        APIRoutes(site: site).add(to: router)
        router.get("/live") { _, context in
            _ = try context.knownViewer()
            guard let response = site.live.response() else { throw HTTPError(.serviceUnavailable) }
            return response
        }
        return router
    }
}
