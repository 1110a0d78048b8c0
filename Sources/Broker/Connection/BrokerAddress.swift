import Foundation

/// Where RabbitMQ is and who asks. Prints without the password.
package struct BrokerAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A host name or an IP address.
    package let host: String
    /// The port: 5672, with TLS 5671, unless the URL says otherwise.
    package let port: Int
    /// The virtual host.
    package let virtualHost: String
    /// The user name; the broker stamps it on what is published with it.
    package let user: String
    /// Whether the connection uses TLS (`amqps://`).
    package let usesTLS: Bool
    /// The file of the authorities whose certificates are trusted, PEM.
    package let certificateAuthority: String
    let password: String

    /// The authorities Debian ships.
    package static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    /// Reads `amqp[s]://user:password@host:port/vhost`.
    ///
    /// Everything but the scheme and the host may be missing; parts are percent-decoded. No path, and a path of `/`,
    /// both mean the virtual host `/`; `/%2f` says it too. `passwordFile` wins over a password in the URL; one newline
    /// at its end is dropped.
    /// - Throws: ``BrokerError/badAddress(_:)``.
    package init(url: String, passwordFile: String? = nil, certificateAuthority: String? = nil) throws(BrokerError) {
        guard let parts = URLComponents(string: url) else {
            throw .badAddress("it is not a URL; allowed is amqp[s]://user:password@host:port/vhost")
        }
        guard let scheme = parts.scheme, scheme == "amqp" || scheme == "amqps" else {
            throw .badAddress("the scheme is '\(parts.scheme ?? "")'; allowed are amqp and amqps")
        }
        guard let host = parts.host, !host.isEmpty else { throw .badAddress("it names no host") }
        usesTLS = scheme == "amqps"
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        port = parts.port ?? (usesTLS ? 5671 : 5672)
        guard (1...65535).contains(port) else { throw .badAddress("the port is \(port); allowed are 1 to 65535") }
        let path = parts.percentEncodedPath.dropFirst()
        guard !path.contains("/") else { throw .badAddress("the virtual host has a '/' in it; write it as %2f") }
        virtualHost = path.isEmpty ? "/" : (String(path).removingPercentEncoding ?? String(path))
        user = parts.user ?? "guest"
        password = try passwordFile.map(Self.readPassword) ?? parts.password ?? "guest"
        guard ![virtualHost, user, password, self.host].contains(where: { $0.utf8.contains(0) }) else {
            throw .badAddress("it has a zero byte in it")
        }
        self.certificateAuthority = certificateAuthority ?? Self.systemAuthorities
        if usesTLS, !FileManager.default.isReadableFile(atPath: self.certificateAuthority) {
            throw .badAddress("the file of trusted authorities \(self.certificateAuthority) cannot be read")
        }
    }

    private static func readPassword(_ path: String) throws(BrokerError) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .badAddress("the password file \(path) cannot be read")
        }
        guard var text = String(data: data, encoding: .utf8) else {
            throw .badAddress("the password file \(path) is not UTF-8")
        }
        if text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    /// As a URL without the password.
    package var description: String {
        "\(usesTLS ? "amqps" : "amqp")://\(user)@\(host):\(port)\(virtualHost == "/" ? "/" : "/" + virtualHost)"
    }
    /// The same: no dump shows the password.
    package var debugDescription: String { description }
    /// Without children, for the same reason.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
