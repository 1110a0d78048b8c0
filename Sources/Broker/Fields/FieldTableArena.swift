import CRabbitMQ

/// Owns the C form of tables and strings while one library call reads them.
final class FieldTableArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A copy of `bytes`.
    func bytes(_ bytes: some Collection<UInt8>) -> amqp_bytes_t {
        guard !bytes.isEmpty else { return amqp_bytes_t(len: 0, bytes: nil) }
        let memory = UnsafeMutableBufferPointer(start: allocate(UInt8.self, bytes.count), count: bytes.count)
        _ = memory.initialize(from: bytes)
        return amqp_bytes_t(len: bytes.count, bytes: UnsafeMutableRawPointer(memory.baseAddress))
    }

    /// A copy of `text`'s UTF-8.
    func bytes(_ text: String) -> amqp_bytes_t { bytes(text.utf8) }

    /// A table, in the order of its keys.
    func table(_ fields: [String: FieldValue]) -> amqp_table_t {
        guard !fields.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
        let entries = allocate(amqp_table_entry_t.self, fields.count)
        for (index, (key, value)) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
            (entries + index).initialize(to: amqp_table_entry_t(key: bytes(key), value: field(value)))
        }
        return amqp_table_t(num_entries: Int32(fields.count), entries: entries)
    }

    private func field(_ value: FieldValue) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        func kind(_ kind: amqp_field_value_kind_t) { field.kind = UInt8(truncatingIfNeeded: kind.rawValue) }
        switch value {
        case .bool(let value):
            kind(AMQP_FIELD_KIND_BOOLEAN)
            field.value.boolean = value ? 1 : 0
        case .integer(let value):
            if let small = Int32(exactly: value) {
                kind(AMQP_FIELD_KIND_I32)
                field.value.i32 = small
            } else {
                kind(AMQP_FIELD_KIND_I64)
                field.value.i64 = value
            }
        case .unsigned(let value):
            kind(AMQP_FIELD_KIND_U64)
            field.value.u64 = value
        case .double(let value):
            kind(AMQP_FIELD_KIND_F64)
            field.value.f64 = value
        case .decimal(let value, let decimals):
            kind(AMQP_FIELD_KIND_DECIMAL)
            field.value.decimal = amqp_decimal_t(decimals: decimals, value: value)
        case .string(let value):
            kind(AMQP_FIELD_KIND_UTF8)
            field.value.bytes = bytes(value)
        case .bytes(let value):
            kind(AMQP_FIELD_KIND_BYTES)
            field.value.bytes = bytes(value)
        case .timestamp(let value):
            kind(AMQP_FIELD_KIND_TIMESTAMP)
            field.value.u64 = value
        case .array(let values):
            kind(AMQP_FIELD_KIND_ARRAY)
            field.value.array = array(values)
        case .table(let fields):
            kind(AMQP_FIELD_KIND_TABLE)
            field.value.table = table(fields)
        case .void, .unreadable: kind(AMQP_FIELD_KIND_VOID)
        }
        return field
    }

    private func array(_ values: [FieldValue]) -> amqp_array_t {
        guard !values.isEmpty else { return amqp_array_t(num_entries: 0, entries: nil) }
        let entries = allocate(amqp_field_value_t.self, values.count)
        for (index, value) in values.enumerated() { (entries + index).initialize(to: field(value)) }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    private func allocate<Element>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
        let memory = UnsafeMutablePointer<Element>.allocate(capacity: count)
        blocks.append(UnsafeMutableRawPointer(memory))
        return memory
    }
}
