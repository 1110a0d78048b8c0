/// Which published messages the broker has not answered for, by delivery tag; tags count from 1 on each session.
///
/// A mandatory message that no queue took comes back before its own confirm, without its tag: it is the oldest one with
/// that address.
struct ConfirmLedger<Ticket> {
    private struct Entry {
        let ticket: Ticket
        let exchange: String
        let routingKey: String
        let messageID: String?
        let bytes: Int
        var returned: PublishOutcome?
    }

    private var entries: [UInt64: Entry] = [:]
    private var oldest: UInt64 = 1
    private var next: UInt64 = 1
    /// The bodies' bytes that wait for an answer.
    private(set) var bytes = 0
    /// How many messages wait for an answer.
    var count: Int { entries.count }

    /// The message was published, as the next tag.
    mutating func add(_ message: OutgoingMessage, _ ticket: Ticket) {
        entries[next] = Entry(
            ticket: ticket, exchange: message.exchange, routingKey: message.routingKey,
            messageID: message.properties.messageID,
            bytes: message.body.count)
        bytes += message.body.count
        next += 1
    }

    /// A message came back.
    mutating func returned(exchange: String, routingKey: String, messageID: String?, as outcome: PublishOutcome) {
        for tag in oldest..<next {
            guard let entry = entries[tag], entry.returned == nil, entry.exchange == exchange,
                entry.routingKey == routingKey,
                entry.messageID == messageID
            else { continue }
            entries[tag]?.returned = outcome
            return
        }
    }

    /// The broker answered for `tag`, and with `multiple` for every earlier one. Gives what became of each.
    mutating func settle(_ tag: UInt64, multiple: Bool, isRefused: Bool) -> [(Ticket, PublishOutcome)] {
        guard tag < next else { return [] }
        let tags = multiple ? Array(oldest..<max(tag + 1, oldest)) : [tag]
        let settled = tags.compactMap { tag -> (Ticket, PublishOutcome)? in
            guard let entry = entries.removeValue(forKey: tag) else { return nil }
            bytes -= entry.bytes
            return (entry.ticket, isRefused ? .refused : entry.returned ?? .confirmed)
        }
        while oldest < next, entries[oldest] == nil { oldest += 1 }
        return settled
    }

    /// The tickets of all that wait, in order; the ledger begins anew.
    mutating func reset() -> [Ticket] {
        defer { self = ConfirmLedger() }
        return (oldest..<next).compactMap { entries[$0]?.ticket }
    }
}
