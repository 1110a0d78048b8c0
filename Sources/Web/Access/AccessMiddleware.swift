import Foundation
import Hashing
import Hummingbird

/// The door: who asks is found out, and whether the request is theirs and not another site's, before any page is made.
///
/// Without a token file whoever is on this machine may do everything; then only requests that name this machine are
/// answered, for a foreign name that points here is somebody else's page.
struct AccessMiddleware: RouterMiddleware {
    /// Nil: nobody signs in.
    let tokens: TokenFile?
    let sessions: Sessions

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var (request, context) = (request, context)
        guard tokens != nil || Self.isThisMachine(request.head.authority) else {
            throw HTTPError(.misdirectedRequest, message: "Without a token file only this machine's name is answered.")
        }
        if Assets.isOne(request.uri.path) { return try await next(request, context) }
        let known = Self.identifier(of: request)
        let identifier = known ?? RandomText.make()
        context.viewer = viewer(of: request, identifier)
        if !Self.isRead(request) { try await hold(&request, &context, to: identifier) }
        if request.uri.path != "/sign-in", context.viewer == nil { return try refusal(request) }
        var response = try await next(request, context)
        if known == nil, context.viewer?.formToken != nil || request.uri.path == "/sign-in",
            response.headers[.setCookie] == nil
        {
            response.setCookie(Self.cookie(identifier, for: request))
        }
        return response
    }

    /// A cookie for the one site, out of reach of scripts, and of plain HTTP where the page came by TLS. It comes along
    /// where a link elsewhere is followed, in a chat or an alert: without it whoever does that would get another, and
    /// every page that is open would be a stranger's. What changes something is held to its page by ``hold``.
    static func cookie(_ identifier: String, for request: Request) -> Cookie {
        Cookie(
            name: Sessions.cookie, value: identifier, maxAge: Int(Sessions.lifetime / .seconds(1)), path: "/",
            secure: request.headers[.xForwardedProto] == "https", httpOnly: true, sameSite: .lax)
    }

    /// What a cookie of ours says; nil where there is none: cookies are a host's, whatever the port, and another
    /// program's may be called like ours.
    static func identifier(of request: Request) -> String? {
        guard let text = request.cookies[Sessions.cookie]?.value, text.utf8.count == 64 else { return nil }
        return text.allSatisfy(\.isHexDigit) ? text : nil
    }

    static func isThisMachine(_ authority: String?) -> Bool {
        guard let authority, let host = URLComponents(string: "http://" + authority)?.host else { return false }
        return ["localhost", "[::1]", "::1"].contains(host) || host.wholeMatch(of: /127\.\d+\.\d+\.\d+/) != nil
    }

    private func viewer(of request: Request, _ identifier: String) -> Viewer? {
        guard let tokens else {
            return Viewer(name: nil, mayAct: true, tenant: nil, formToken: sessions.formToken(for: identifier))
        }
        if let header = request.headers[.authorization] {
            guard header.lowercased().hasPrefix("bearer ") else { return nil }
            return tokens.holder(of: String(header.dropFirst(7))).map {
                Viewer(name: $0.name, mayAct: $0.role == .admin, tenant: $0.tenant, formToken: nil)
            }
        }
        guard let token = sessions.holder(of: identifier), tokens.contains(token) else { return nil }
        return Viewer(
            name: token.name, mayAct: token.role == .admin, tenant: token.tenant,
            formToken: sessions.formToken(for: identifier))
    }

    /// What changes something must come from a page of ours: a browser says where from, and the page's own word is in
    /// the form or in a header, unless the browser vouches for the page. Whoever sends its token with each request is
    /// no browser led astray.
    private func hold(_ request: inout Request, _ context: inout WebContext, to identifier: String) async throws {
        var word = request.headers[.formToken]
        if Self.isForm(request) {
            let buffer = try await receiving { try await request.body.collect(upTo: 1 << 20) }
            context.form = FormFields(encoded: String(buffer: buffer))
            word = word ?? context.form["form_token"]
            request.body = .init(buffer: buffer)
        }
        if context.viewer != nil, context.viewer?.formToken == nil { return }
        let origin = request.headers[.origin]
        let isForeign =
            origin.map { URLComponents(string: $0).map(Self.authority) != request.head.authority } ?? false
            || !["same-origin", "none", nil].contains(request.headers[.secFetchSite])
        guard !isForeign else { throw HTTPError(.forbidden, message: "The request came from another site.") }
        if word == sessions.formToken(for: identifier) { return }
        // No page can make a browser say so. Words are this program's own, and a page that was opened before it was
        // started again may hold pictures and texts that nobody wants to give once more.
        if request.headers[.secFetchSite] == "same-origin" { return }
        // A program on this machine, where nobody signs in; browsers say at least one of the two.
        let isBrowser = origin != nil || request.headers[.secFetchSite] != nil || Self.isForm(request)
        if Self.isForm(request), request.uri.path.hasPrefix("/api/") {
            throw HTTPError(
                .unsupportedMediaType, message: "The API takes JSON: send the header Content-Type: application/json.")
        }
        guard tokens == nil, !isBrowser else {
            throw HTTPError(.forbidden, message: "The page is too old: go back, load it again, and send it once more.")
        }
    }

    private static func isRead(_ request: Request) -> Bool { request.method == .get || request.method == .head }

    private static func isForm(_ request: Request) -> Bool {
        request.headers[.contentType]?.hasPrefix("application/x-www-form-urlencoded") ?? false
    }

    private static func authority(of parts: URLComponents) -> String {
        (parts.host ?? "") + (parts.port.map { ":\($0)" } ?? "")
    }

    /// - Throws: 401 for what is no page that one could come back to after signing in.
    private func refusal(_ request: Request) throws -> Response {
        guard Self.isRead(request), request.headers[.accept]?.contains("text/html") ?? false else {
            let message =
                request.headers[.secFetchSite] == nil
                ? "A token is needed: Authorization: Bearer …"
                : "You are signed in no more: sign in in another tab, then come back and send it once more."
            throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: "Bearer"], message: message)
        }
        let place = request.uri.string.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return .redirect(to: "/sign-in?next=" + place, type: .normal)
    }
}

/// One header of a request or an answer.
typealias HTTPField = HTTPFields.Element

extension HTTPField.Name {
    /// What scripts of our pages send in place of a form's field.
    static let formToken = Self("X-Form-Token")!
    static let xForwardedProto = Self("X-Forwarded-Proto")!
    static let secFetchSite = Self("Sec-Fetch-Site")!
}
