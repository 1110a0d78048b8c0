import Foundation
import Jobs
import Store
import Testing

/// Messages that leave: in which order, how many at once, and what becomes of those that nobody takes.
@Suite(.timeLimit(.minutes(10))) struct OutboxTests {
    @Test func anAnswerThatFindsNoQueueForADayIsGivenUp() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body, created_at) values
                    ('completed', '', 'gone', '{}', now() - interval '25 hours'), ('completed', '', 'young', '{}',
                        now()),
                    ('completed', 'events', 't.generate.completed', '{}', now() - interval '25 hours')
                """)
            let waiting = try await stage.store.outbox(.fresh, limit: 9)
            #expect(waiting.map(\.routingKey) == ["gone", "young", "t.generate.completed"])
            var over: [String] = []
            for message in waiting where try await stage.store.unsent(message.id, "no queue takes it") == .givenUp {
                over.append(message.routingKey)
            }
            #expect(over == ["gone"])
            let left = try await stage.store.query(
                "select routing_key from atelier.outbox where confirmed_at is null order by id")
            #expect(left.map { $0["routing_key"] } == ["young", "t.generate.completed"])
        }
    }

    @Test func whatWasRefusedGoesApartFromWhatWasNeverSent() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body, tries)
                    select 'completed', '', 'gone', '{}', 1 from generate_series(1, 20) union all values
                        ('completed', 'events', 'new', '{}'::jsonb, 0)
                """)
            #expect(try await stage.store.outbox(.fresh, limit: 5).map(\.routingKey) == ["new"])
            #expect(try await stage.store.outbox(.doubtful, limit: 5).map(\.routingKey).count == 5)
            let new = try #require(try await stage.store.outbox(.fresh, limit: 5).first)
            try await stage.store.doubt([new.id], "the channel was closed")
            #expect(try await stage.store.outbox(.fresh, limit: 5).isEmpty)
            #expect(try await stage.store.outbox(.doubtful, limit: 50).map(\.routingKey).last == "new")
        }
    }

    @Test func aMessageStaysInTheOutboxUntilItIsConfirmed() async throws {
        try await Stage.with { stage in
            try await stage.submit()
            let message = try #require(try await stage.store.outbox(.fresh, limit: 9).first)
            #expect(message.routingKey == "t.generate.accepted")
            try await stage.store.unsent(message.id, "no route")
            #expect(try await stage.store.outbox(.fresh, limit: 9).isEmpty)
            try await stage.store.query("update atelier.outbox set next_try = now()")
            #expect(try await stage.store.outbox(.doubtful, limit: 9).map(\.eventID) == [message.eventID])
            try await stage.store.confirmed([message.id])
            #expect(try await stage.store.outbox(.doubtful, limit: 9).isEmpty)
        }
    }

    @Test func whatTheBrokerWillNotTakeIsSetAsideWithItsReason() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body) values
                    ('completed', 'events', 'poison', '{}'), ('completed', 'events', 'good', '{}')
                """)
            let poison = try await stage.store.outbox(.fresh, limit: 1)[0].id
            var fates: [Store.Unsent] = []
            for _ in 0..<4 { fates.append(try await stage.store.unsent(poison, "it is too large", most: 4)) }
            #expect(fates == [.first, .again, .again, .setAside])
            try await stage.store.script("update atelier.outbox set next_try = now()")
            #expect(try await stage.store.outbox(.fresh, limit: 9).map(\.routingKey) == ["good"])
            let panel = try await stage.store.query("select waiting, set_aside, set_aside_error from dashboard.outbox")
            #expect(
                panel.map { [$0["waiting"], $0["set_aside"], $0["set_aside_error"]] } == [
                    ["1", "1", "it is too large"]
                ])
            #expect(await stage.refusal("set role atelier_daemon; select atelier.resend_set_aside()") == "42501")
            try await stage.store.script("reset role")
            let resent = try await stage.store.query(
                """
                select atelier.resend_set_aside(array[$1::bigint]) as other, atelier.resend_set_aside() as every
                """, [String(poison + 9)])
            #expect(resent[0]["other"] == "0" && resent[0]["every"] == "1")
            #expect(try await stage.store.outbox(.fresh, limit: 9).map(\.routingKey) == ["good"])
            #expect(try await stage.store.outbox(.doubtful, limit: 9).map(\.routingKey) == ["poison"])
            #expect(await stage.refusal("update atelier.outbox set set_aside_at = now(), last_error = null") == "23514")
        }
    }

    @Test func eachRefusalPutsAMessageOffForLonger() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                "insert into atelier.outbox (event, exchange, routing_key, body) values ('x', 'events', '', '{}')"
            )
            let id = try await stage.store.outbox(.fresh, limit: 1)[0].id
            var waits: [Int] = []
            try await stage.store.script("begin")  // for one time in all of it
            for _ in 0..<12 {
                #expect(try await stage.store.unsent(id, "no queue takes it") != .setAside, "it may come back")
                let row = try await stage.store.query(
                    "select round(extract(epoch from next_try - now()))::int as seconds from atelier.outbox")
                waits.append(row.first?["seconds"].flatMap { Int($0) } ?? 0)
            }
            try await stage.store.script("commit")
            #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600])
        }
    }

    @Test func aBatchHasItsLimitInBytesToo() async throws {
        try await Stage.with { stage in
            try await stage.store.script(
                """
                insert into atelier.outbox (event, exchange, routing_key, body)
                    select 'completed', 'events', 'k' || i, jsonb_build_object('x', repeat('ab', 50000))
                    from generate_series(1, 5) i;
                """)
            func keys(_ bytes: Int) async throws -> [String] {
                try await stage.store.outbox(.fresh, limit: 9, bytes: bytes).map(\.routingKey)
            }
            #expect(try await keys(350_000) == ["k1", "k2", "k3"], "a compressed body counts as what it will be")
            #expect(try await keys(10) == ["k1"], "the first goes whatever it has")
            #expect(try await keys(1 << 30).count == 5)
        }
    }

    @Test func aRoutingWordIsTheSameInBothLanguages() async throws {
        try await Stage.with { stage in
            let texts = [
                "a.b", "a_b", "", "_", "%", "a%2Eb", "ü*#", "👩‍🎨", "-0Z", String(repeating: "x", count: 100),
                String(repeating: "x", count: 101), String(repeating: ".", count: 34),
            ]
            for text in texts {
                let word = try await stage.store.query("select atelier.routing_word($1) as word", [text]).first?["word"]
                #expect(word == JobEvent.routingWord(text), "\(text)")
            }
            #expect(Set(texts.dropFirst(3).map(JobEvent.routingWord)).count == texts.count - 3)
        }
    }

    @Test func whatARejectionStoresIsBounded() async throws {
        try await Stage.with { stage in
            let long = String(repeating: "é", count: 1 << 20)
            let problems = (0..<200).map { Problem("/\($0)/\(long)", found: long, allowed: "this, or that") }
            try await stage.store.reject(
                Rejection(
                    tenant: "t", messageID: "m", kind: "generate", problems: problems, body: Data(long.utf8),
                    replyTo: "answers"))
            let row = try #require(
                try await stage.store.query(
                    """
                    select jsonb_array_length(problems) as count, length(problems->0->>'pointer') as pointer,
                        length(problems->0->>'found') as found, problems->50->>'found' as last,
                        (select max(octet_length(body::text)) from atelier.outbox) as bytes
                    from atelier.rejections
                    """
                ).first)
            #expect(row["count"] == "51" && row["pointer"] == "300" && row["found"] == "300")
            #expect(row["last"] == "200 problems")
            #expect((row["bytes"].flatMap { Int($0) } ?? .max) < 100_000)
            for values in [
                "'t', 'm', jsonb_build_array(repeat('x', 600000)), ''",
                "'t', 'm', (select jsonb_agg(i) from generate_series(1, 52) i), ''",
                "'t', repeat('x', 1025), '[1]', ''", "'t', 'm', '[1]', decode(repeat('00', 70000), 'hex')",
            ] {
                let statement = "insert into atelier.rejections (tenant, message_id, problems, body) values (\(values))"
                #expect(await stage.refusal(statement) == "23514", "\(values)")
            }
        }
    }
}
