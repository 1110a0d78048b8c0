import Hummingbird

/// What every answer tells a browser: nothing is loaded from elsewhere, nothing of a page's text runs, nobody frames
/// it. An answer that is no page may have a policy of its own.
struct SecurityHeaders: RouterMiddleware {
    private static let fixed: HTTPFields = [
        .contentSecurityPolicy:
            """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'
        """,
        .xContentTypeOptions: "nosniff",
        .init("X-Frame-Options")!: "DENY",
        .init("Referrer-Policy")!: "same-origin",
        .init("Cross-Origin-Opener-Policy")!: "same-origin",
        .init("Cross-Origin-Resource-Policy")!: "same-origin",
        .init("Permissions-Policy")!: "camera=(), geolocation=(), microphone=()",
    ]

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        for field in Self.fixed where response.headers[field.name] == nil { response.headers[field.name] = field.value }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        return response
    }
}
