import CRabbitMQ

// Copies out of the library's memory, which is recycled after each message.

extension Array where Element == UInt8 {
    init(_ bytes: amqp_bytes_t) {
        self.init(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len))
    }
}

extension String {
    /// Text of a stranger: invalid UTF-8 is repaired.
    init(_ bytes: amqp_bytes_t) {
        self.init(
            decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.bytes == nil ? 0 : bytes.len),
            as: UTF8.self)
    }
}

extension FieldValue {
    /// A table of a stranger: repeated keys keep the first value.
    static func table(_ table: amqp_table_t, depth: Int = 0) -> [String: FieldValue] {
        let entries = UnsafeBufferPointer(
            start: table.entries, count: table.entries == nil ? 0 : Int(table.num_entries))
        return Dictionary(
            entries.map { (String($0.key), FieldValue($0.value, depth: depth)) },
            uniquingKeysWith: { first, _ in first })
    }

    private init(_ field: amqp_field_value_t, depth: Int) {
        guard depth < Self.maximumDepth else {
            self = .unreadable("nested deeper than \(Self.maximumDepth) levels")
            return
        }
        let value = field.value
        switch amqp_field_value_kind_t(rawValue: amqp_field_value_kind_t.RawValue(field.kind)) {
        case AMQP_FIELD_KIND_BOOLEAN: self = .bool(value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = .integer(Int64(value.i8))
        case AMQP_FIELD_KIND_U8: self = .integer(Int64(value.u8))
        case AMQP_FIELD_KIND_I16: self = .integer(Int64(value.i16))
        case AMQP_FIELD_KIND_U16: self = .integer(Int64(value.u16))
        case AMQP_FIELD_KIND_I32: self = .integer(Int64(value.i32))
        case AMQP_FIELD_KIND_U32: self = .integer(Int64(value.u32))
        case AMQP_FIELD_KIND_I64: self = .integer(value.i64)
        case AMQP_FIELD_KIND_U64: self = Int64(exactly: value.u64).map { .integer($0) } ?? .unsigned(value.u64)
        case AMQP_FIELD_KIND_F32: self = .double(Double(value.f32))
        case AMQP_FIELD_KIND_F64: self = .double(value.f64)
        case AMQP_FIELD_KIND_DECIMAL: self = .decimal(value: value.decimal.value, decimals: value.decimal.decimals)
        case AMQP_FIELD_KIND_UTF8: self = .string(String(value.bytes))
        case AMQP_FIELD_KIND_BYTES: self = .bytes([UInt8](value.bytes))
        case AMQP_FIELD_KIND_TIMESTAMP: self = .timestamp(value.u64)
        case AMQP_FIELD_KIND_ARRAY:
            let entries = UnsafeBufferPointer(
                start: value.array.entries, count: value.array.entries == nil ? 0 : Int(value.array.num_entries))
            self = .array(entries.map { FieldValue($0, depth: depth + 1) })
        case AMQP_FIELD_KIND_TABLE: self = .table(Self.table(value.table, depth: depth + 1))
        case AMQP_FIELD_KIND_VOID: self = .void
        default: self = .unreadable("a field of the unknown kind \(field.kind)")
        }
    }
}

extension MessageProperties {
    /// Reads what a stranger sent.
    init(_ raw: amqp_basic_properties_t) {
        func text(_ flag: Int32, _ value: amqp_bytes_t) -> String? {
            raw._flags & amqp_flags_t(flag) != 0 ? String(value) : nil
        }
        func number<Value>(_ flag: Int32, _ value: Value) -> Value? {
            raw._flags & amqp_flags_t(flag) != 0 ? value : nil
        }
        self.init(
            contentType: text(AMQP_BASIC_CONTENT_TYPE_FLAG, raw.content_type),
            contentEncoding: text(AMQP_BASIC_CONTENT_ENCODING_FLAG, raw.content_encoding),
            messageID: text(AMQP_BASIC_MESSAGE_ID_FLAG, raw.message_id),
            type: text(AMQP_BASIC_TYPE_FLAG, raw.type),
            userID: text(AMQP_BASIC_USER_ID_FLAG, raw.user_id),
            replyTo: text(AMQP_BASIC_REPLY_TO_FLAG, raw.reply_to),
            correlationID: text(AMQP_BASIC_CORRELATION_ID_FLAG, raw.correlation_id),
            priority: number(AMQP_BASIC_PRIORITY_FLAG, raw.priority),
            expiration: text(AMQP_BASIC_EXPIRATION_FLAG, raw.expiration),
            timestamp: number(AMQP_BASIC_TIMESTAMP_FLAG, raw.timestamp),
            applicationID: text(AMQP_BASIC_APP_ID_FLAG, raw.app_id),
            durability: number(AMQP_BASIC_DELIVERY_MODE_FLAG, raw.delivery_mode).flatMap(Durability.init(rawValue:)),
            headers: raw._flags & amqp_flags_t(AMQP_BASIC_HEADERS_FLAG) != 0 ? FieldValue.table(raw.headers) : [:])
    }

    /// The C form, whose memory `arena` owns.
    func raw(in arena: FieldTableArena) -> amqp_basic_properties_t {
        var raw = amqp_basic_properties_t()
        func set(_ flag: Int32, _ text: String?, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
            guard let text else { return }
            raw._flags |= amqp_flags_t(flag)
            raw[keyPath: field] = arena.bytes(text)
        }
        set(AMQP_BASIC_CONTENT_TYPE_FLAG, contentType, \.content_type)
        set(AMQP_BASIC_CONTENT_ENCODING_FLAG, contentEncoding, \.content_encoding)
        set(AMQP_BASIC_MESSAGE_ID_FLAG, messageID, \.message_id)
        set(AMQP_BASIC_TYPE_FLAG, type, \.type)
        set(AMQP_BASIC_USER_ID_FLAG, userID, \.user_id)
        set(AMQP_BASIC_REPLY_TO_FLAG, replyTo, \.reply_to)
        set(AMQP_BASIC_CORRELATION_ID_FLAG, correlationID, \.correlation_id)
        set(AMQP_BASIC_EXPIRATION_FLAG, expiration, \.expiration)
        set(AMQP_BASIC_APP_ID_FLAG, applicationID, \.app_id)
        if let priority {
            raw._flags |= amqp_flags_t(AMQP_BASIC_PRIORITY_FLAG)
            raw.priority = priority
        }
        if let timestamp {
            raw._flags |= amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG)
            raw.timestamp = timestamp
        }
        if let durability {
            raw._flags |= amqp_flags_t(AMQP_BASIC_DELIVERY_MODE_FLAG)
            raw.delivery_mode = durability.rawValue
        }
        if !headers.isEmpty {
            raw._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
            raw.headers = arena.table(headers)
        }
        return raw
    }
}
