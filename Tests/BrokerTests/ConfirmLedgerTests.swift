import Testing

@testable import Broker

@Suite("The ledger of confirms")
struct ConfirmLedgerTests {
    private func ledger(_ count: Int) -> ConfirmLedger<Int> {
        var ledger = ConfirmLedger<Int>()
        for index in 1...count {
            ledger.add(
                OutgoingMessage(
                    exchange: "e", routingKey: "k", properties: .init(messageID: "m\(index)"), body: [0, 0]), index)
        }
        return ledger
    }

    @Test func oneAnswerMaySettleMany() {
        var ledger = ledger(5)
        #expect(ledger.count == 5 && ledger.bytes == 10)
        #expect(ledger.settle(2, multiple: false, isRefused: true).map(\.0) == [2])
        let many = ledger.settle(4, multiple: true, isRefused: false)
        #expect(many.map(\.0) == [1, 3, 4])
        #expect(many.allSatisfy { $0.1 == .confirmed })
        #expect(ledger.count == 1 && ledger.bytes == 2)
    }

    @Test func answersNobodyAskedForSettleNothing() {
        var ledger = ledger(1)
        #expect(ledger.settle(0, multiple: true, isRefused: false).isEmpty)
        #expect(ledger.settle(7, multiple: true, isRefused: false).isEmpty)
        #expect(ledger.settle(1, multiple: false, isRefused: false).count == 1)
        #expect(ledger.settle(1, multiple: true, isRefused: false).isEmpty)
    }

    @Test func aReturnBelongsToItsMessage() {
        var ledger = ledger(3)
        let back = PublishOutcome.returned(code: 312, text: "NO_ROUTE")
        ledger.returned(exchange: "e", routingKey: "k", messageID: "m2", as: back)
        #expect(ledger.settle(3, multiple: true, isRefused: false).map(\.1) == [.confirmed, back, .confirmed])
    }

    @Test func equalReturnsTakeOneMessageEach() {
        var ledger = ConfirmLedger<Int>()
        for index in 1...2 { ledger.add(OutgoingMessage(exchange: "e", routingKey: "k", body: []), index) }
        let back = PublishOutcome.returned(code: 312, text: "NO_ROUTE")
        ledger.returned(exchange: "e", routingKey: "k", messageID: nil, as: back)
        ledger.returned(exchange: "e", routingKey: "k", messageID: nil, as: back)
        #expect(ledger.settle(2, multiple: true, isRefused: false).map(\.1) == [back, back])
    }

    @Test func aResetGivesWhatWaitedAndCountsAnew() {
        var ledger = ledger(3)
        _ = ledger.settle(1, multiple: false, isRefused: false)
        #expect(ledger.reset() == [2, 3])
        ledger.add(OutgoingMessage(exchange: "", routingKey: "", body: []), 9)
        #expect(ledger.settle(1, multiple: false, isRefused: false).map(\.0) == [9])
    }

    @Test func waitsGrowToHalfAMinuteAndStartAnew() {
        var delay = ReconnectDelay()
        #expect((0..<8).map { _ in delay.next(random: 1) } == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        delay.reset()
        #expect(delay.next(random: 0.5) == .milliseconds(500))
    }
}
