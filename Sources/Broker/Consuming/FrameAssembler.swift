import CRabbitMQ

/// Puts frames together to events: a method, then for messages a header and the body's pieces.
///
/// librabbitmq's own reader of messages waits for a body without a limit; this one never waits.
struct FrameAssembler {
    private enum Purpose {
        case delivery
        case returning(code: Int, text: String)
    }

    private struct Partial {
        let purpose: Purpose
        var message: IncomingMessage
        var missing: UInt64 = 0
        var keepsBody = true
    }

    private var partial: Partial?
    private let maximumBodyBytes: Int
    /// Bodies longer than this are dropped too, and their messages marked as put off.
    var allowance = Int.max

    /// Drops bodies longer than this, so that one message cannot take all memory.
    init(maximumBodyBytes: Int) { self.maximumBodyBytes = maximumBodyBytes }

    /// What is complete with this frame.
    /// - Throws: ``BrokerError/closed(code:text:)`` when the broker closes the channel or the connection.
    mutating func take(_ frame: amqp_frame_t) throws(BrokerError) -> SessionEvent? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: return try take(frame.payload.method)
        case AMQP_FRAME_HEADER:
            guard let decoded = frame.payload.properties.decoded else {
                throw .lost("a header frame without properties")
            }
            let size = frame.payload.properties.body_size
            partial?.message.properties = MessageProperties(
                decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee)
            partial?.message.bodySize = size
            partial?.missing = size
            let isAllowed = size <= UInt64(maximumBodyBytes)
            let keepsBody = isAllowed && size <= UInt64(allowance)
            partial?.keepsBody = keepsBody
            partial?.message.isPutOff = isAllowed && !keepsBody
            if keepsBody { partial?.message.body.reserveCapacity(Int(size)) }
            return finish()
        case AMQP_FRAME_BODY:
            let piece = frame.payload.body_fragment
            guard let missing = partial?.missing, UInt64(piece.len) <= missing else {
                throw .lost("a body longer than announced")
            }
            if partial?.keepsBody == true {
                partial?.message.body.append(contentsOf: UnsafeRawBufferPointer(start: piece.bytes, count: piece.len))
            }
            partial?.missing -= UInt64(piece.len)
            return finish()
        default: return nil
        }
    }

    private mutating func finish() -> SessionEvent? {
        guard let done = partial, done.missing == 0 else { return nil }
        partial = nil
        switch done.purpose {
        case .delivery: return .delivered(done.message)
        case .returning(let code, let text): return .returned(code: code, text: text, message: done.message)
        }
    }

    private mutating func take(_ method: amqp_method_t) throws(BrokerError) -> SessionEvent? {
        func fields<Fields>(_ type: Fields.Type) -> Fields { method.decoded.assumingMemoryBound(to: type).pointee }
        switch method.id {
        case AMQP_BASIC_DELIVER_METHOD:
            let deliver = fields(amqp_basic_deliver_t.self)
            partial = Partial(
                purpose: .delivery,
                message: IncomingMessage(
                    tag: deliver.delivery_tag, isRedelivered: deliver.redelivered != 0,
                    exchange: String(deliver.exchange),
                    routingKey: String(deliver.routing_key)))
        case AMQP_BASIC_RETURN_METHOD:
            let back = fields(amqp_basic_return_t.self)
            partial = Partial(
                purpose: .returning(code: Int(back.reply_code), text: String(back.reply_text)),
                message: IncomingMessage(
                    tag: 0, isRedelivered: false, exchange: String(back.exchange), routingKey: String(back.routing_key))
            )
        case AMQP_BASIC_ACK_METHOD:
            let ack = fields(amqp_basic_ack_t.self)
            return .settled(tag: ack.delivery_tag, multiple: ack.multiple != 0, isRefused: false)
        case AMQP_BASIC_NACK_METHOD:
            let nack = fields(amqp_basic_nack_t.self)
            return .settled(tag: nack.delivery_tag, multiple: nack.multiple != 0, isRefused: true)
        case AMQP_BASIC_CANCEL_METHOD: return .consumerCancelled
        case AMQP_CONNECTION_BLOCKED_METHOD: return .blocked(String(fields(amqp_connection_blocked_t.self).reason))
        case AMQP_CONNECTION_UNBLOCKED_METHOD: return .unblocked
        case AMQP_CHANNEL_CLOSE_METHOD:
            let close = fields(amqp_channel_close_t.self)
            throw .closed(code: Int(close.reply_code), text: String(close.reply_text))
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = fields(amqp_connection_close_t.self)
            throw .closed(code: Int(close.reply_code), text: String(close.reply_text))
        default: break
        }
        return nil
    }
}
