import Hummingbird

/// Monitors and checkers of links ask for the head alone, and get no body, of errors neither: what came after the head
/// would be taken for the next answer.
struct HeadRequests: RouterMiddleware {
    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        return request.method == .head ? response.createHeadResponse() : response
    }
}
