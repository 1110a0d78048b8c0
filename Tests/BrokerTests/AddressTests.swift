import Broker
import Foundation
import ServerTesting
import Testing

@Suite("Addresses, logins and TLS", .timeLimit(.minutes(15)))
struct AddressTests {
    @Test func partsAndDefaults() throws {
        let plain = try BrokerAddress(url: "amqp://h")
        #expect(
            plain.host == "h" && plain.port == 5672 && plain.virtualHost == "/" && plain.user == "guest"
                && !plain.usesTLS)
        let full = try BrokerAddress(url: "amqps://us%40er:p%2Fw@rabbit.example:7000/a%2fb")
        #expect(full.port == 7000 && full.virtualHost == "a/b" && full.user == "us@er" && full.usesTLS)
        #expect(try BrokerAddress(url: "amqp://h/%2f").virtualHost == "/")
        #expect(try BrokerAddress(url: "amqp://[::1]:5673/").host == "::1")
    }

    @Test(arguments: ["", "http://h", "amqp://", "amqp://h:99999", "amqp://h/a/b"]) func whatIsWrongIsSaid(
        _ url: String
    ) {
        #expect(throws: BrokerError.self) { try BrokerAddress(url: url) }
    }

    @Test func noPasswordIsEverPrinted() throws {
        let file = NSTemporaryDirectory() + UUID().uuidString
        try "fi1e-s3cret\n".write(toFile: file, atomically: true, encoding: .utf8)
        defer { unlink(file) }
        for address in [
            try BrokerAddress(url: "amqp://u:url-s3cret@h"), try BrokerAddress(url: "amqp://u@h", passwordFile: file),
        ] {
            var dumped = ""
            dump(address, to: &dumped)
            #expect(!"\(address) \(String(reflecting: address)) \(dumped)".contains("s3cret"))
        }
        #expect(throws: BrokerError.badAddress("the password file /no/such/file cannot be read")) {
            try BrokerAddress(url: "amqp://u@h", passwordFile: "/no/such/file")
        }
    }

    @Test func thePasswordFileOpensTheDoor() async throws {
        let servers = try await Servers.running()
        var parts = try #require(URLComponents(string: servers.amqpURL))
        let file = NSTemporaryDirectory() + UUID().uuidString
        try #require(parts.password).write(toFile: file, atomically: true, encoding: .utf8)
        defer { unlink(file) }
        parts.password = "wrong"
        #expect(await firstEvent(try BrokerAddress(url: parts.string!, passwordFile: file)) == .connected)
        let refused = try #require(await firstEvent(try BrokerAddress(url: parts.string!)).loss)
        guard case .refusedLogin(let text) = refused else {
            Issue.record("\(refused)")
            return
        }
        #expect(text.contains("ACCESS_REFUSED") && !text.contains("wrong"))
    }

    @Test func aClosedPortIsNamed() async throws {
        let error = try #require(await firstEvent(try BrokerAddress(url: "amqp://u:secret@127.0.0.1:1/")).loss)
        #expect(error.description.contains("amqp://u@127.0.0.1:1/") && !error.description.contains("secret"))
        #expect(error.description.contains("nothing listens there"), "\(error)")
    }

    /// No certificate is at fault where a port does not speak TLS, or speaks nothing else.
    @Test func aPortThatIsNotForTheURLIsNamed() async throws {
        let servers = try await Servers.running()
        let encrypted = try BrokerAddress(
            url: servers.amqpURL.replacing("amqp://", with: "amqps://"),
            certificateAuthority: servers.certificateAuthority)
        let handshake = try #require(await firstEvent(encrypted).loss)
        #expect(handshake.description.contains("the port must be one for TLS"), "\(handshake)")
        let plain = try BrokerAddress(url: try #require(servers.amqpsURL).replacing("amqps://", with: "amqp://"))
        let login = try #require(await firstEvent(plain).loss)
        #expect(login.description.contains("the port must be one without TLS"), "\(login)")
    }

    @Test func tlsTrustsTheAuthorityAndTheNameOnly() async throws {
        let servers = try await Servers.running()
        let url = try #require(servers.amqpsURL)
        let authority = servers.certificateAuthority
        #expect(await firstEvent(try BrokerAddress(url: url, certificateAuthority: authority)) == .connected)
        // An authority nobody named; a name the certificate does not bear.
        let stranger = try #require(
            await firstEvent(try BrokerAddress(url: url)).loss, "the system's authorities did not sign this certificate"
        )
        #expect(
            stranger.description.contains("signed by an authority in \(BrokerAddress.systemAuthorities)"), "\(stranger)"
        )
        let address = try BrokerAddress(
            url: url.replacing("localhost", with: "127.0.0.1"), certificateAuthority: authority)
        let other = try #require(await firstEvent(address).loss, "the certificate is for localhost")
        #expect(other.description.contains("its certificate is not for the name 127.0.0.1"), "\(other)")
    }

    /// What a connection attempt leads to.
    private func firstEvent(_ address: BrokerAddress) async -> ConnectionEvent {
        let witness = Witness()
        let publisher = Publisher(address, report: witness.report)
        publisher.start()
        await witness.wait { !$0.isEmpty }
        await publisher.stop()
        return witness.events[0]
    }
}
