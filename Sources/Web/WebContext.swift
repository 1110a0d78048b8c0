import Foundation
import Hummingbird

/// What goes with one request.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Who asks; set by ``AccessMiddleware`` for whoever gets further than the door.
    var viewer: Viewer?
    /// The fields of a form that was sent.
    var form: FormFields = FormFields([])

    init(source: Source) { coreContext = .init(source: source) }

    /// Pictures travel inside a job's body.
    static let largestBody = 96 << 20

    /// A part of the path, as it is without escapes; empty where it cannot be read.
    func part(_ name: String) -> String {
        let text = parameters.get(name)?.removingPercentEncoding ?? ""
        return text.utf8.contains(0) ? "" : text
    }

    /// Who asks.
    /// - Throws: 401 where nobody is known; no route that shows anything is reached so.
    func knownViewer() throws -> Viewer {
        guard let viewer else { throw HTTPError(.unauthorized) }
        return viewer
    }

    /// The same, who must be one that may act.
    func actingViewer() throws -> Viewer {
        let viewer = try knownViewer()
        guard viewer.mayAct else { throw HTTPError(.forbidden, message: "You may look, and not act.") }
        return viewer
    }
}

/// The fields of a form, in order: a name may come several times.
struct FormFields: Sendable {
    private let pairs: [(name: String, value: String)]

    init(_ pairs: [(name: String, value: String)]) { self.pairs = pairs }

    /// Reads `application/x-www-form-urlencoded`, in which a plus sign is a blank; what is no escape stands for itself.
    init(encoded text: String) {
        pairs = text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ part: Substring?) -> String {
                let text = String(part ?? "").replacing("+", with: " ")
                return text.removingPercentEncoding ?? text
            }
            return (decoded(parts.first), decoded(parts.count > 1 ? parts[1] : nil))
        }
    }

    /// The first value of a name that says anything, without blanks around it.
    subscript(_ name: String) -> String? {
        values(name).map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.first { !$0.isEmpty }
    }

    /// All values of a name.
    func values(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// All of them, as they came.
    var all: [(name: String, value: String)] { pairs }
}
