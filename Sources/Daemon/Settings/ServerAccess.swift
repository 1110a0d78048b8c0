import Broker
import Foundation

/// How a server may be reached that is on another host: PostgreSQL with TLS that verifies the peer and its name, and
/// either server with a password that comes from a file. Who wants neither says so in the URL: `amqp://`,
/// `sslmode=disable`.
struct ServerAccess {
    let url: URLComponents
    /// Whether the URL itself came from a file or a credential.
    let isFromFile: Bool
    let certificateAuthority: String

    private var isPostgres: Bool { url.scheme?.hasPrefix("postgres") ?? false }

    private func parameter(_ name: String) -> String? { url.queryItems?.last { $0.name == name }?.value }

    /// Whether it is this machine: by name, by address, or by a socket among its files; of several hosts, each.
    private var isLocal: Bool {
        let host = isPostgres ? parameter("host") ?? url.host ?? "" : url.host ?? ""
        return host.split(separator: ",").allSatisfy {
            $0.hasPrefix("/") || $0.hasPrefix("127.") || ["localhost", "::1", "[::1]"].contains($0)
        }
    }

    /// What is wrong with it; never with the password in it. `file` is the setting that names a file with the URL.
    func problems(file: String) -> [String] {
        var problems: [String] = []
        if !isFromFile, !isLocal, url.password != nil || parameter("password") != nil {
            problems.append(
                """
                holds a password for another host; write the URL into a file that only this user can read, and name \
                it in \(file)
                """
            )
        }
        if isPostgres, let mode = parameter("sslmode"), !["verify-full", "disable"].contains(mode) {
            problems.append(
                """
                sslmode=\(mode) does not verify who answers; allowed are verify-full, which is what holds for another \
                host, and disable
                """
            )
        }
        return problems
    }

    /// PostgreSQL's URL with what it leaves open about TLS; nil where there is nothing to add.
    var completeURL: String? {
        guard isPostgres else { return nil }
        let mode = parameter("sslmode") ?? (isLocal ? nil : "verify-full")
        guard mode == "verify-full" else { return nil }
        let standard = ["sslmode": "verify-full", "sslrootcert": certificateAuthority].filter {
            parameter($0.key) == nil
        }
        var complete = url
        complete.queryItems =
            (url.queryItems ?? [])
            + standard.sorted { $0.key < $1.key }.map { URLQueryItem(name: $0.key, value: $0.value) }
        return complete.string
    }
}

extension Settings {
    /// Where RabbitMQ is.
    /// - Throws: ``BrokerError/badAddress(_:)``.
    package func broker() throws(BrokerError) -> BrokerAddress {
        try BrokerAddress(url: amqpURL.reveal(), certificateAuthority: certificateAuthority)
    }
}
