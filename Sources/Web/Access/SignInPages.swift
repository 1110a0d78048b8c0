import Foundation
import Hashing
import Hummingbird

/// Signing in and out. Where nobody signs in there is nothing to see here.
struct SignInPages: Sendable {
    let site: Site

    func add(to router: Router<WebContext>) {
        router.get("/sign-in") { request, context in
            try form(request, next: request.parameter("next"), said: nil, status: .ok)
        }
        router.post("/sign-in") { request, context -> Response in
            guard let tokens = site.tokens else { return .redirect(to: "/", type: .normal) }
            let next = context.form["next"]
            guard let token = context.form["token"].flatMap(tokens.holder) else {
                site.logger.warning("somebody could not sign in")
                // Guessing is slow, for one who guesses.
                try await Task.sleep(for: .milliseconds(500))
                return try form(request, next: next, said: "That token is not known here.", status: .forbidden)
            }
            var response = Response.redirect(to: next.flatMap(JobsPage.local) ?? "/", type: .normal)
            response.setCookie(AccessMiddleware.cookie(site.sessions.begin(token), for: request))
            site.logger.notice("signed in", metadata: ["web.viewer": "\(token.name)"])
            return response
        }
        router.post("/sign-out") { request, _ in
            if let cookie = request.cookies[Sessions.cookie]?.value { site.sessions.end(cookie) }
            var response = Response.redirect(to: "/sign-in", type: .normal)
            response.setCookie(Cookie(name: Sessions.cookie, value: "", maxAge: 0, path: "/"))
            return response
        }
    }

    private func form(
        _ request: Request, next: String?, said: String?, status: HTTPResponse.Status
    ) throws -> Response {
        let identifier = AccessMiddleware.identifier(of: request) ?? RandomText.make()
        var model = site.frame(nil, section: "", title: "Sign in")
        model["next"] = next.flatMap(JobsPage.local) ?? "/"
        model["said"] = said ?? NSNull()
        model["form_token"] = site.sessions.formToken(for: identifier)
        model["needs_token"] = site.tokens != nil
        var response = try site.templates.html("sign-in", model, status: status)
        response.setCookie(AccessMiddleware.cookie(identifier, for: request))
        return response
    }
}
