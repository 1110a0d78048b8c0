import Foundation
import Hummingbird
import Jobs
import Store

/// Errors as pages, or as JSON for programs: what is wrong, and never the insides of it.
struct ErrorPages: RouterMiddleware {
    let site: Site

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch {
            var response = try page(for: error, request, context.viewer)
            if let error = error as? HTTPError { response.headers.append(contentsOf: error.headers) }
            return response
        }
    }

    private func page(for error: any Error, _ request: Request, _ viewer: Viewer?) throws -> Response {
        let (status, message) = words(for: error, request)
        guard request.headers[.accept]?.contains("text/html") ?? false, !request.uri.path.hasPrefix("/api/") else {
            return APIRoutes.json(["error": .string(message)], status: status)
        }
        var model = site.frame(viewer, section: "", title: "\(status.code)")
        model["status"] = status.code
        model["message"] = message
        return try site.templates.html("error", model, status: status)
    }

    private func words(for error: any Error, _ request: Request) -> (HTTPResponse.Status, String) {
        switch error {
        case let error as HTTPError:
            return (error.status, error.body ?? error.status.reasonPhrase)
        case let error as any HTTPResponseError:
            return (error.status, error.status.reasonPhrase)
        case StoreError.unavailable(let reason):
            site.logger.warning("PostgreSQL is unavailable", metadata: ["error": "\(reason)"])
            return (.serviceUnavailable, "PostgreSQL is unavailable: \(reason)")
        case StoreError.tookTooLong(let reason):
            site.logger.warning(
                "PostgreSQL took too long", metadata: ["error": "\(reason)", "path": "\(request.uri.path)"])
            return (.serviceUnavailable, "PostgreSQL took too long: \(reason)")
        case let error as StoreError where error.writesNothing:
            site.logger.warning("PostgreSQL writes nothing now", metadata: ["error": "\(error)"])
            return (.serviceUnavailable, "PostgreSQL writes nothing now. \(error)")
        case StoreError.refused(state: "42501", let reason):
            site.logger.error(
                "PostgreSQL gives no right", metadata: ["error": "\(reason)", "path": "\(request.uri.path)"])
            return (
                .internalServerError,
                """
                This program's login at PostgreSQL has no right to that: \(reason). sudo atelierctl doctor says what \
                is missing, and what mends it.
                """
            )
        case let error as StoreError:
            site.logger.error(
                "PostgreSQL refused", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            return (.internalServerError, "PostgreSQL refused. The log has more; is the schema of this version?")
        default:
            site.logger.error("a page failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            return (.internalServerError, "Something failed. The log has more.")
        }
    }
}
