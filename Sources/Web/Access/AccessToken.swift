import Daemon
import Foundation
import Hashing
import Jobs

/// Who may come in, as a line of the token file says it. The token itself is written nowhere: its SHA-256 is.
package struct AccessToken: Sendable, Equatable, Codable {
    /// What its holder may do.
    package enum Role: String, Sendable, Codable { case reader, admin }

    /// What the file may say of a token.
    enum CodingKeys: String, CodingKey, CaseIterable { case name, sha256, role, tenant }

    /// What its holder is called.
    package let name: String
    /// The token's SHA-256 in hexadecimal digits.
    package let sha256: String
    /// Readers see, admins act.
    package let role: Role
    /// The one tenant its holder sees; nil: all.
    package let tenant: String?

    /// Describes a token that was made elsewhere.
    package init(name: String, sha256: String, role: Role, tenant: String?) {
        (self.name, self.sha256, self.role, self.tenant) = (name, sha256, role, tenant)
    }

    /// Makes a new one: 256 random bits. Gives the token, which is shown once, and what the file gets.
    package static func make(name: String, role: Role, tenant: String?) -> (token: String, entry: AccessToken) {
        let token = "atelier_" + RandomText.make()
        return (token, AccessToken(name: name, sha256: digest(of: token), role: role, tenant: tenant))
    }

    /// What the file holds of a token.
    static func digest(of token: String) -> String { SHA256Digest.of(token.utf8).description }
}

/// The tokens of a file: a JSON array of ``AccessToken``.
package struct TokenFile: Sendable {
    /// What is wrong with a file, and what to do.
    package struct Problem: Error, CustomStringConvertible { package let description: String }

    private let tokens: [String: AccessToken]

    /// Reads a file.
    /// - Throws: ``Problem``.
    package init(path: String) throws(Problem) {
        guard let data = InputFile.contents(path) else {
            throw Problem(description: "\(path) cannot be read; atelier-web token makes what it holds")
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o022 == 0 else {
            throw Problem(description: "\(path) can be written by others; chmod 600 it")
        }
        let known = AccessToken.CodingKeys.allCases.map(\.rawValue).joined(separator: ", ")
        let list: JSONValue
        let entries: [AccessToken]
        do {
            list = try StrictJSON.value(of: data)
            entries = try JSONDecoder().decode([AccessToken].self, from: list.line)
        } catch { throw Problem(description: "\(path) is no JSON array of {\(known)}: \(error)") }
        // Who is of a misspelt tenant would be of none, and see all.
        if let stranger = Self.stranger(in: list) {
            throw Problem(description: "\(path): a token has \(stranger); allowed are \(known)")
        }
        if let entry = entries.first(where: { SHA256Digest($0.sha256) == nil || $0.name.isEmpty || $0.tenant == "" }) {
            throw Problem(
                description: "\(path): \(entry.name) needs a name, 64 hexadecimal digits, and a tenant or none")
        }
        tokens = Dictionary(entries.map { ($0.sha256, $0) }) { first, _ in first }
    }

    /// A member that tokens do not have; nil where there is none.
    private static func stranger(in list: JSONValue) -> String? {
        for case .object(let given) in list.array ?? [] {
            if let name = given.keys.sorted().first(where: { AccessToken.CodingKeys(rawValue: $0) == nil }) {
                return name
            }
        }
        return nil
    }

    /// Whose token that is; nil: nobody's. Found by its digest, so that the time it takes tells nothing of it.
    func holder(of token: String) -> AccessToken? { tokens[AccessToken.digest(of: token)] }

    /// Whether that one is still among them.
    func contains(_ token: AccessToken) -> Bool { tokens[token.sha256] == token }
}
