import CRabbitMQ
import Glibc
import Hashing

/// One connection with one channel: the owner of librabbitmq's handle.
///
/// Not `Sendable`: it is made, used and destroyed on one thread. Each call is short or watched by ``CallWatchdog``;
/// after an error the session is only good for being destroyed. It must be asked for ``nextEvent()`` at least once a
/// second: heartbeats are served there.
final class Session {
    /// Seconds between heartbeats; silence of twice as many ends the session.
    static let heartbeat = 10
    private static let channel: amqp_channel_t = 1
    private static let frameMax: Int32 = 131_072

    private let state: amqp_connection_state_t
    private let callGuard: CallWatchdog.Guard
    private var assembler: FrameAssembler
    /// How often it began to consume. Each consumer has a tag of its own: a quorum queue that is asked anew under one
    /// that it knows delivers again what it had delivered.
    private var consumers = 0
    private var consumerTag: String { "atelier-\(consumers)" }
    /// Bodies longer than this are put off: `IncomingMessage.isPutOff`.
    var bodyAllowance: Int {
        get { assembler.allowance }
        set { assembler.allowance = newValue }
    }
    /// The socket, to wait for.
    let descriptor: Int32

    /// Connects, says who it is and opens the channel.
    init(_ address: BrokerAddress, name: String, maximumBodyBytes: Int) throws(BrokerError) {
        state = try Self.connect(address)
        descriptor = amqp_get_sockfd(state)
        Self.limitSilence(descriptor)
        callGuard = CallWatchdog.shared.register(descriptor, limit: .seconds(2 * Self.heartbeat))
        assembler = FrameAssembler(maximumBodyBytes: maximumBodyBytes)
        // From here on an error runs `deinit`, which destroys the connection.
        let login = callGuard.watching { Self.login(state, address, name) }
        if let error = Self.failure(login) { throw Self.loginError(error, address) }
        try ask("the channel") { _ in _ = amqp_channel_open(state, Self.channel) }
    }

    deinit {
        CallWatchdog.shared.forget(callGuard)
        amqp_destroy_connection(state)
    }

    /// Says goodbye, on a session that is well; a suspect one is only dropped.
    func close() { callGuard.watching { _ = amqp_connection_close(state, AMQP_REPLY_SUCCESS) } }

    // MARK: - Connecting

    private static func connect(_ address: BrokerAddress) throws(BrokerError) -> amqp_connection_state_t {
        _ = CryptographyLibrary.staysUntilTheEnd
        guard let state = amqp_new_connection() else { throw .unreachable("no memory for a connection") }
        do throws(BrokerError) { try openSocket(state, address) } catch {
            amqp_destroy_connection(state)
            throw error
        }
        return state
    }

    private static func openSocket(_ state: amqp_connection_state_t, _ address: BrokerAddress) throws(BrokerError) {
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        amqp_set_handshake_timeout(state, &limit)
        amqp_set_rpc_timeout(state, &limit)
        guard let socket = address.usesTLS ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state) else {
            throw .unreachable("no memory for a socket")
        }
        if address.usesTLS {
            // This version of the library trusts nobody by itself.
            guard amqp_ssl_socket_set_cacert(socket, address.certificateAuthority) == AMQP_STATUS_OK.rawValue else {
                throw .badAddress("\(address.certificateAuthority) holds no certificates of authorities in PEM form")
            }
            amqp_ssl_socket_set_verify_peer(socket, 1)
            amqp_ssl_socket_set_verify_hostname(socket, 1)
            amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        }
        let status = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &limit)
        guard status == AMQP_STATUS_OK.rawValue else { throw .unreachable("\(address): \(reason(status, address))") }
    }

    /// The library's words for these say neither what was wanted nor what came.
    private static func reason(_ status: Int32, _ address: BrokerAddress) -> String {
        switch status {
        case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue: "its certificate is not for the name \(address.host)"
        case AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue:
            """
            \(text(status)): its certificate must be valid and signed by an authority in \
            \(address.certificateAuthority)
            """
        case AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            """
            \(text(status)): the port must be one for TLS (5671 unless set otherwise), and the certificate valid and \
            signed by an authority in \(address.certificateAuthority)
            """
        case AMQP_STATUS_SOCKET_ERROR.rawValue: "nothing listens there, or nothing lets this host through"
        default: text(status)
        }
    }

    /// Unacknowledged bytes may wait in the kernel no longer than heartbeats may fail to come.
    private static func limitSilence(_ descriptor: Int32) {
        var milliseconds = UInt32(2 * heartbeat * 1000)
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func login(
        _ state: amqp_connection_state_t, _ address: BrokerAddress, _ name: String
    ) -> amqp_rpc_reply_t {
        let arena = FieldTableArena()
        var properties = arena.table([
            "product": "atelier", "connection_name": .string(name),
            "capabilities": .table([
                "consumer_cancel_notify": true, "connection.blocked": true, "publisher_confirms": true,
                "basic.nack": true,
                "authentication_failure_close": true, "exchange_exchange_bindings": true,
            ]),
        ])
        return withExtendedLifetime(arena) {
            atelier_amqp_login_plain(
                state, address.virtualHost, frameMax, Int32(heartbeat), &properties, address.user, address.password)
        }
    }

    private static func loginError(_ error: BrokerError, _ address: BrokerAddress) -> BrokerError {
        switch error {
        case .closed(let code, let text): .refusedLogin("\(address): \(code) \(text)")
        case .lost(let text) where address.usesTLS: .unreachable("\(address): \(text)")
        case .lost(let text):
            .unreachable("\(address): \(text); the port must be one without TLS (5672 unless set otherwise)")
        default: error
        }
    }

    // MARK: - Asking

    /// Declares exchanges, queues, bindings.
    func declare(_ topology: Topology) throws(BrokerError) {
        for exchange in topology.exchanges {
            try ask("the exchange \(exchange.name)") { arena in
                _ = amqp_exchange_declare(
                    state, Self.channel, arena.bytes(exchange.name), arena.bytes(exchange.kind.rawValue), 0, 1, 0, 0,
                    amqp_empty_table)
            }
        }
        for queue in topology.queues {
            try ask("the queue \(queue.name)") { arena in
                _ = amqp_queue_declare(
                    state, Self.channel, arena.bytes(queue.name), 0, 1, 0, 0, arena.table(queue.arguments))
            }
        }
        for binding in topology.bindings { try bind(binding.queue, binding.exchange, binding.routingKey) }
    }

    /// Declares a queue only this connection reads, gone with it, bound to `exchange`. Gives its name.
    func declarePrivateQueue(exchange: String, routingKey: String) throws(BrokerError) -> String {
        let name = try declarePrivateQueue("")
        try bind(name, exchange, routingKey)
        return name
    }

    /// Declares a queue only this connection reads, gone with it. Gives its name, the broker's where it is empty.
    @discardableResult
    func declarePrivateQueue(_ wanted: String) throws(BrokerError) -> String {
        var name = ""
        try ask(wanted.isEmpty ? "a private queue" : "the private queue \(wanted)") { arena in
            if let answer = amqp_queue_declare(
                state, Self.channel, arena.bytes(wanted), 0, 0, 1, 1, amqp_empty_table)
            {
                name = String(answer.pointee.queue)
            }
        }
        return name
    }

    /// How many messages wait in a queue and were given to nobody.
    func count(_ queue: String) throws(BrokerError) -> Int {
        var count: UInt32 = 0
        try ask("the queue \(queue)") { arena in
            if let answer = amqp_queue_declare(state, Self.channel, arena.bytes(queue), 1, 0, 0, 0, amqp_empty_table) {
                count = answer.pointee.message_count
            }
        }
        return Int(count)
    }

    private func bind(_ queue: String, _ exchange: String, _ routingKey: String) throws(BrokerError) {
        try ask("the binding of \(queue) to \(exchange)") { arena in
            _ = amqp_queue_bind(
                state, Self.channel, arena.bytes(queue), arena.bytes(exchange), arena.bytes(routingKey),
                amqp_empty_table)
        }
    }

    /// Asks for confirms of what is published from now on; tags count from 1.
    func selectConfirms() throws(BrokerError) {
        try ask("confirms") { _ in _ = amqp_confirm_select(state, Self.channel) }
    }

    /// Begins to consume, with acknowledgements, at most `prefetch` at a time.
    func consume(_ queue: String, prefetch: UInt16) throws(BrokerError) {
        try ask("prefetch") { _ in _ = amqp_basic_qos(state, Self.channel, 0, prefetch, 0) }
        consumers += 1
        try ask("the consumer of \(queue)") { arena in
            _ = amqp_basic_consume(
                state, Self.channel, arena.bytes(queue), arena.bytes(consumerTag), 0, 0, 0, amqp_empty_table)
        }
    }

    /// Consumes no more; what was delivered may still be answered.
    func cancel() throws(BrokerError) {
        try ask("the end of consuming") { arena in
            _ = amqp_basic_cancel(state, Self.channel, arena.bytes(consumerTag))
        }
    }

    private func ask(_ what: String, _ call: (FieldTableArena) -> Void) throws(BrokerError) {
        let arena = FieldTableArena()
        let reply = callGuard.watching {
            call(arena)
            return amqp_get_rpc_reply(state)
        }
        withExtendedLifetime(arena) {}
        switch Self.failure(reply) {
        case nil: return
        case .closed(let code, let text): throw .topology(name: what, code: code, text: text)
        case let error?: throw error
        }
    }

    // MARK: - Telling

    /// Hands a message to the socket; only a confirm says that the broker has it.
    func publish(_ message: OutgoingMessage) throws(BrokerError) {
        let arena = FieldTableArena()
        var properties = message.properties.raw(in: arena)
        let exchange = arena.bytes(message.exchange)
        let key = arena.bytes(message.routingKey)
        let status = message.body.withUnsafeBytes { body in
            callGuard.watching {
                amqp_basic_publish(
                    state, Self.channel, exchange, key, message.isMandatory ? 1 : 0, 0, &properties,
                    amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
            }
        }
        withExtendedLifetime(arena) {}
        switch status {
        case AMQP_STATUS_OK.rawValue: return
        case AMQP_STATUS_TABLE_TOO_BIG.rawValue:
            throw .badMessage("its properties and headers take more than \(Self.frameMax) bytes")
        default: throw .lost(Self.text(status))
        }
    }

    /// How many bytes the other side's kernel has not taken yet.
    var unsentBytes: Int { Int(atelier_unsent_bytes(descriptor)) }

    /// Acknowledges the message with this tag, and with `multiple` all before it.
    func acknowledge(_ tag: UInt64, multiple: Bool = false) throws(BrokerError) {
        try send { amqp_basic_ack(state, Self.channel, tag, multiple ? 1 : 0) }
    }

    /// Gives the message with this tag back, to be delivered again or dead-lettered.
    func reject(_ tag: UInt64, requeue: Bool) throws(BrokerError) {
        try send { amqp_basic_nack(state, Self.channel, tag, 0, requeue ? 1 : 0) }
    }

    private func send(_ call: () -> Int32) throws(BrokerError) {
        let status = callGuard.watching(call)
        guard status == AMQP_STATUS_OK.rawValue else { throw .lost(Self.text(status)) }
    }

    // MARK: - Hearing

    /// Whether something was read already, so that waiting for the socket would wait in vain.
    var hasBufferedInput: Bool { amqp_frames_enqueued(state) != 0 || amqp_data_in_buffer(state) != 0 }

    /// What the broker said, without waiting longer than some milliseconds; sends and checks heartbeats.
    ///
    /// A limit of 0 would mean for ever in parts of this version of the library.
    func nextEvent() throws(BrokerError) -> SessionEvent? {
        repeat {
            var frame = amqp_frame_t()
            var limit = timeval(tv_sec: 0, tv_usec: 2000)
            let status = callGuard.watching { amqp_simple_wait_frame_noblock(state, &frame, &limit) }
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == AMQP_STATUS_OK.rawValue else { throw .lost(Self.text(status)) }
            let event = try assembler.take(frame)
            // All of the frame has been copied.
            amqp_maybe_release_buffers(state)
            if let event { return event }
        } while hasBufferedInput
        return nil
    }

    /// Like ``nextEvent()``, but only if something has come; does not wait.
    func eventAtHand() throws(BrokerError) -> SessionEvent? {
        var socket = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard hasBufferedInput || poll(&socket, 1, 0) > 0 else { return nil }
        return try nextEvent()
    }

    // MARK: - Failures

    private static func failure(_ reply: amqp_rpc_reply_t) -> BrokerError? {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: nil
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: .lost(text(reply.library_error))
        case AMQP_RESPONSE_SERVER_EXCEPTION: serverFailure(reply.reply)
        default: .lost("the broker closed the connection without a word")
        }
    }

    private static func serverFailure(_ method: amqp_method_t) -> BrokerError {
        switch method.id {
        case AMQP_CHANNEL_CLOSE_METHOD:
            let close = method.decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return .closed(code: Int(close.reply_code), text: String(close.reply_text))
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = method.decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            return .closed(code: Int(close.reply_code), text: String(close.reply_text))
        default: return .lost("an answer nobody expected, method \(String(method.id, radix: 16))")
        }
    }

    private static func text(_ status: Int32) -> String { String(cString: amqp_error_string2(status)) }
}
