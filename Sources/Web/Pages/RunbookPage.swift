import Daemon
import Foundation
import Hummingbird
import Jobs

/// The manual's page of what to do when something is wrong, with the page that shows it beside each symptom. Alerts
/// lead here.
struct RunbookPage: Sendable {
    let site: Site

    /// What shows a symptom, by the name of its check, or by its heading where no check looks for it.
    static let places = [
        "waiting": ("the queue", "/"), "daemon": ("the daemons", "/"), "paused": ("the queue", "/"),
        "intake": ("the queue", "/"), "rejections": ("the rejections", "/rejections"),
        "outbox": ("the queue", "/"), "dead letters": ("the dead letters", "/dead"),
        "failures": ("the failures", "/failures"), "disk": ("the metrics", "/metrics"),
        "models": ("the models", "/models"), "models held": ("the models", "/models"),
        "rabbitmq": ("the dead letters, which are asked of it", "/dead"), "postgresql": ("any page", "/"),
        "schema": ("any page", "/"), "rights": ("any page", "/"), "encoding": ("any page", "/"),
        "clock": ("the queue", "/"), "permissions": ("the rejections", "/rejections"),
        "Nothing happens to jobs that were published": ("the queue", "/"),
        "An artifact is damaged or missing": ("the failures", "/failures"),
        "A setting shall change": ("the daemons", "/"), "Several daemons on several hosts": ("the daemons", "/"),
    ]

    func add(to router: Router<WebContext>) {
        router.get("/runbook") { _, context in
            var model = site.frame(try context.knownViewer(), section: "runbook", title: "Runbook")
            model["blocks"] = try await runBlocking { Self.text() }.map(Self.blocks) ?? []
            return try site.templates.html("runbook", model)
        }
    }

    /// The manual, where it is installed, or in a checkout.
    private static func text() -> String? {
        let folders = [Installation().folder("docs"), "/usr/share/doc/atelier/docs"].compactMap(\.self)
        return folders.lazy.compactMap { try? String(contentsOfFile: $0 + "/operations.md", encoding: .utf8) }.first
    }

    private static func blocks(_ text: String) -> [[String: Any]] {
        CardText(markdown: text).blocks.map { block in
            guard let heading = block["heading"] as? String else { return block }
            var block = block
            block["anchor"] = anchor(heading)
            let check = heading.firstMatch(of: /\[([a-z ]+)\]$/).map { String($0.1) }
            if let place = places[check ?? heading] { block["place"] = ["name": place.0, "path": place.1] }
            return block
        }
    }

    /// What links to a heading of Markdown say.
    static func anchor(_ heading: String) -> String {
        String(
            heading.lowercased().compactMap { letter in
                letter == " "
                    ? "-" : letter.isLetter || letter.isNumber || letter == "-" || letter == "_" ? letter : nil
            })
    }
}
