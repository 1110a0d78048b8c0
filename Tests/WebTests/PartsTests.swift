import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Synchronization
import Testing

@testable import Web

/// What pages are made of, by itself.
struct PartsTests {
    @Test func aSearchIsWhatItsParametersSay() throws {
        let given = [
            "kind": "generate", "since": "2026-01-31", "until": "2026-02-28T23:59Z",
            "before": "2026-01-01T00:00:00+00:00_7", "error": "engine.crash", "text": "rex",
        ]
        let search = try JobSearch({ given[$0] }, states: ["running"])
        #expect(search.states == ["running"] && search.kind == "generate" && search.since == "2026-01-31")
        #expect(search.before != nil && search.isNarrow)
        #expect(
            search.query
                == "state=running&kind=generate&error=engine.crash&text=rex&since=2026-01-31&until=2026-02-28T23%3A59Z")
        #expect(try !JobSearch({ _ in nil }).isNarrow)
    }

    /// Beside the likeness to a subject's own references, and not taken for it.
    @Test func likenessToOthersHasAMeaning() {
        let models = ScoreMeaning.models(["dino_to_others.pocket-dino": 0.5, "clip_i.a": 1, "dino.pocket-dino": 0.75])
        #expect(models.map { $0["name"] as? String } == ["DINO", "DINO to others", "CLIP-I"])
        #expect(models.allSatisfy { ($0["meaning"] as? String)?.isEmpty == false })
    }

    /// What nobody escaped comes with a blank for the plus sign.
    @Test func timesAreReadWithAnyZoneAndAreUTCsWithoutOne() throws {
        let given = [
            "since": "2026-01-31T12:00:00 01:00", "until": "2026-02-28 23:59",
            "before": "2026-01-01T00:00:00.123 00:00_7",
        ]
        let search = try JobSearch { given[$0] }
        #expect(search.since == "2026-01-31T12:00:00+01:00" && search.until == "2026-02-28 23:59")
        #expect(search.before == "2026-01-01T00:00:00.123+00:00_7")
        #expect(JobSearch.inUTC("2026-01-31") == "2026-01-31T00:00:00Z")
        #expect(JobSearch.inUTC("2026-01-31T12:00") == "2026-01-31T12:00Z")
        for whole in ["2026-01-31T12:00Z", "2026-01-31 12:00:00+01:00", "2026-01-31T12:00-0500"] {
            #expect(JobSearch.inUTC(whole) == whole)
        }
    }

    /// Left out, it would find more jobs, and "all that match" would be more.
    @Test(arguments: [
        ("kind", "party"), ("since", "1h"), ("until", "2026-02-30"), ("since", "2026-01-31T25:00"),
        ("before", "yesterday_7"), ("text", String(repeating: "x", count: 201)), ("state", "sleeping"),
    ])
    func aSearchForWhatIsNoValueIsRefused(_ name: String, _ text: String) {
        #expect("a value that is none was taken") {
            try JobSearch({ $0 == name ? text : nil }, states: name == "state" ? [text] : [])
        } throws: { error in
            "\(error)".contains("\(name)=\(text.prefix(20))") && "\(error)".contains("allowed is ")
        }
    }

    @Test func aFormIsReadAsBrowsersWriteIt() {
        let form = FormFields(encoded: "a=1&a=2+3&b=%3Cb%3E%26&empty=&c")
        #expect(form.values("a") == ["1", "2 3"] && form["b"] == "<b>&" && form["empty"] == nil && form["c"] == nil)
        #expect(FormFields(encoded: "a=100%+of+it")["a"] == "100% of it")
    }

    /// Without the other something else would be drawn than was asked for.
    @Test(arguments: [("style", "/subject"), ("subject", "/style")])
    func ofASubjectInAStyleBothAreNeeded(_ given: String, _ missing: String) throws {
        let form = FormFields([("model", "pocket-chameleon"), ("prompts", "a dog"), (given, "rex")])
        let problems = try #require(throws: Problems.self) { try JobSpec(PlaygroundPage.body(form)) }
        #expect(problems.list.map(\.pointer) == [missing])
    }

    private func hold<Value>(
        _ bytes: Int, announced: Int? = nil, in bodies: BodyAllowance, _ work: () async throws -> Value
    ) async throws -> Value {
        try await bodies.read(Upload(bytes: bytes), announced: announced) { _ in try await work() }
    }

    /// The largest take as much memory as there is; small ones go beside them.
    @Test func ofLargeBodiesAreHeldAsManyAsMayBe() async throws {
        let (bodies, most) = (BodyAllowance(most: 10 << 20), 10 << 20)
        for announced in [nil, most] as [Int?] {
            let inner = try await hold(most, announced: announced, in: bodies) {
                await #expect(throws: (any Error).self) { try await hold(2 << 20, in: bodies) {} }
                return try await hold(BodyAllowance.small, in: bodies) { 1 }
            }
            #expect(inner == 1)
        }
        let both = try await hold(5 << 20, in: bodies) { try await hold(5 << 20, in: bodies) { 2 } }
        #expect(both == 2)
        await #expect(throws: CancellationError.self) {
            try await hold(most, in: bodies) { () async throws -> Int in throw CancellationError() }
        }
        await #expect(throws: (any Error).self) { try await hold(most + 1, in: bodies) {} }
        #expect(try await hold(most, in: bodies) { 3 } == 3, "also what failed is given back")
    }

    @Test func whatWouldNotBeReadToItsEndIsRefusedAtOnce() async throws {
        let bodies = BodyAllowance(most: 10 << 20)
        let unread = Upload([
            {
                Issue.record("it was read")
                return []
            }
        ])
        try await hold(9 << 20, in: bodies) {
            for length in [2 << 20, 11 << 20] {
                await #expect(throws: (any Error).self) { try await bodies.read(unread, announced: length) { _ in } }
            }
        }
    }

    /// What somebody announces, and sends bit by bit, keeps nobody out.
    @Test func aBodyCountsByWhatHasComeOfIt() async throws {
        let bodies = BodyAllowance(most: 10 << 20)
        let slow = Upload([
            { [UInt8](repeating: 0, count: 2 << 20) },
            {
                let beside = try await hold(8 << 20, announced: 8 << 20, in: bodies) { 1 }
                #expect(beside == 1)
                await #expect(throws: (any Error).self) { try await hold(9 << 20, in: bodies) {} }
                return [0]
            },
        ])
        #expect(try await bodies.read(slow, announced: 10 << 20) { $0.count } == 2 << 20 + 1)
    }

    /// A poor line is waited for, one that trickles is not.
    @Test(arguments: [(16, true), (4, false)])
    func whoSendsTooSlowlyIsAnsweredThat(_ kibibytes: Int, isTaken: Bool) async throws {
        let time = PassingTime()
        let bodies = BodyAllowance(most: 10 << 20) { time.now }
        @Sendable func chunk() -> [UInt8] {
            time.pass(.seconds(5))
            return [UInt8](repeating: 0, count: (5 * kibibytes) << 10)
        }
        let upload = Upload(Array(repeating: chunk, count: 20))
        if isTaken {
            let length = try await bodies.read(upload, announced: nil) { $0.count }
            #expect(length == (100 * kibibytes) << 10)
        } else {
            let error = await #expect(throws: (any Error).self) {
                try await bodies.read(upload, announced: nil) { _ in }
            }
            let said = error.map { "\($0)" } ?? ""
            #expect(said.contains("Request Timeout, The body came slower than 8 KiB a second"), "\(said)")
        }
        #expect(try await hold(10 << 20, in: bodies) { 1 } == 1)
    }

    @Test func whoHangsUpIsNoFaultOfAPage() async throws {
        let bodies = BodyAllowance(most: 10 << 20)
        let upload = Upload([{ [UInt8](repeating: 0, count: 2 << 20) }, { throw CancellationError() }])
        let error = await #expect(throws: (any Error).self) {
            try await bodies.read(upload, announced: nil) { _ in }
        }
        let said = error.map { "\($0)" } ?? ""
        #expect(said.contains("Bad Request, The body broke off before its end."), "\(said)")
        #expect(try await hold(10 << 20, in: bodies) { 1 } == 1)
    }

    /// Files are left for pictures and servers: a connection that cannot be taken is tried again without end.
    @Test func connectionsAreFewerThanFiles() {
        #expect(WebServer.connections(ofFiles: 4096) == 3968)
        #expect(WebServer.connections(ofFiles: 100) == 50)
    }

    /// As of a head, or where who asked has gone.
    @Test func anAnswerWhoseBodyIsNeverReadTakesNobodysPlace() {
        let feed = LiveFeed(url: "")
        for _ in 0..<1000 { _ = feed.response() }
        let isOpen = feed.response() != nil
        #expect(isOpen)
    }

    @Test func onlyThisMachineIsThisMachine() {
        for name in ["localhost:8645", "127.0.0.1:1", "127.8.9.1", "[::1]:80"] {
            #expect(AccessMiddleware.isThisMachine(name), "\(name)")
        }
        for name in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", nil] {
            #expect(!AccessMiddleware.isThisMachine(name), "\(name ?? "nothing")")
        }
    }

    @Test func onlyPlacesOfThisSiteAreGoneOnTo() {
        #expect(JobsPage.local("/jobs?state=running") != nil)
        for place in [
            "//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\t/evil.example",
            "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", "//\u{301}@evil.example",
        ] {
            #expect(JobsPage.local(place) == nil, "\(place)")
        }
    }

    @Test func aFileNameForgesNoHeaderAndHidesNoFile() {
        #expect(Files.safe("rex.safetensors") == "rex.safetensors")
        #expect(Files.safe("../../etc/pass\"wd\r\nX: 1") == "_.._etc_pass_wd__X__1")
        #expect(Files.safe("...") == "file")
    }

    @Test func tokensAreFoundByTheirDigestsAlone() throws {
        let folder = try TemporaryFolder()
        let made = AccessToken.make(name: "anna", role: .admin, tenant: "shop")
        let path = try folder.write("tokens", JSONValue.array([try JSONValue(made.entry)]).text)
        chmod(path, 0o600)
        let file = try TokenFile(path: path)
        #expect(file.holder(of: made.token)?.name == "anna" && file.holder(of: made.token + "0") == nil)
        #expect(try !String(contentsOfFile: path, encoding: .utf8).contains(made.token))
        chmod(path, 0o666)
        #expect(throws: TokenFile.Problem.self) { try TokenFile(path: path) }
        chmod(path, 0o600)
        try folder.write("tokens", #"[{"name":"x","sha256":"short","role":"admin"}]"#)
        #expect(throws: TokenFile.Problem.self) { try TokenFile(path: path) }
    }

    /// Who is of a misspelt tenant would be of none, and see all.
    @Test(arguments: [(#""tennant":"shop""#, "tennant"), (#""tenant":"shop","role":"reader""#, "/0/role")])
    func whatATokenFileSaysAndNobodyUnderstandsIsRefused(members: String, word: String) throws {
        let folder = try TemporaryFolder()
        let digest = String(repeating: "0", count: 64)
        let entry = #"{"name":"x","sha256":"\#(digest)","role":"admin",\#(members)}"#
        let path = try folder.write("tokens", "[\(entry)]")
        chmod(path, 0o600)
        let problem = try #require(throws: TokenFile.Problem.self) { try TokenFile(path: path) }
        #expect(problem.description.contains(word), "\(problem)")
    }

    /// As a shell's `<(…)` is one.
    @Test func tokensComeOutOfAPipeToo() throws {
        let made = AccessToken.make(name: "anna", role: .admin, tenant: nil)
        let pipe = Pipe()
        pipe.fileHandleForWriting.write(Data(JSONValue.array([try JSONValue(made.entry)]).text.utf8))
        try pipe.fileHandleForWriting.close()
        let file = try TokenFile(path: "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)")
        #expect(file.holder(of: made.token)?.name == "anna")
    }

    @Test func aDrawingEscapesNamesAndBearsAnyNumber() throws {
        let points: [(x: Double, y: Double)] = [(1, 3), (2, .nan), (3, 1), (4, .infinity)]
        let svg = try #require(LineChart(title: "<b>", curves: [.init(name: "\"><script>", points: points)]).svg)
        #expect(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains("nan") && !svg.contains("inf"))
        #expect(LineChart(title: "", curves: [.init(name: "", points: [(1, .nan), (2, .nan)])]).svg == nil)
        let flat = LineChart(title: "", curves: [.init(name: "", points: [(1, 2), (2, 2)])]).svg
        #expect(flat?.contains("polyline") == true)
    }

    @Test func whatATextOfNothingWouldSayIsLeftOut() async throws {
        let templates = try await Templates(directory: Servers.root + "/web/templates")
        let refusal: [String: Any] = ["pointer": "", "found": "the queue of jobs is full", "allowed": ""]
        let refused = try templates.text("refused", ["problems": [refusal]])
        #expect(refused.contains("<li>the queue of jobs is full</li>"), "\(refused)")
        for (search, words) in [("", "learnt yet."), ("rex", "learnt under such a name yet.")] {
            let gallery = try templates.text("concepts", ["is_none": true, "filter_text": search])
            #expect(gallery.contains("Nothing was " + words), "\(gallery)")
        }
        let attempt: [String: Any] = ["attempt": 1, "log_tail": ""]
        #expect(try !templates.text("job-live", ["attempt_list": [attempt]]).contains("last words"))
    }

    @Test func aCardIsTextInBlocks() async throws {
        let card = CardText(
            markdown: """
                # A *model*
                It **knows** [cats](http://x), and
                `dogs`.

                - one
                  goes on
                - <script>two</script>

                | a | b |
                | --- | --- |
                | 1 | 2 |
                """)
        #expect(
            card.parts == [
                .heading("A *model*"), .paragraph("It knows cats, and `dogs`."), .item("one goes on"),
                .item("<script>two</script>"), .head(["a", "b"]), .row(["1", "2"]),
            ])
        let templates = try await Templates(directory: Servers.root + "/web/templates")
        let page = try card.blocks.map { try templates.text("prose", $0) }.joined()
        #expect(page.contains("<p>It knows cats, and <code>dogs</code>.</p>"), "\(page)")
        #expect(page.contains("&lt;script&gt;two"), "\(page)")
        #expect(page.contains("<th scope=\"col\">a") && page.contains("<td>1</td>"), "\(page)")
    }

    /// A number in a template stands for itself: what is counted, one or several, `counted` says.
    @Test func noTemplateCountsByItself() throws {
        let folder = Servers.root + "/web/templates/"
        let counting = /\}\} (?:[a-z]+ )?(?:jobs|pictures|files|attempts|messages|versions|steps|workers|concepts)\b/
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count > 20)
        for name in names {
            let found = try String(contentsOfFile: folder + name, encoding: .utf8).replacing("\n", with: " ")
                .firstMatch(of: counting)
            #expect(found == nil, "\(name): \(found?.0 ?? "")")
        }
    }

    @Test func figuresSayWhatTheyAre() {
        #expect(Figures.duration(0.25) == "250 ms" && Figures.duration(75) == "1 min 15 s")
        #expect(Figures.duration(90_061) == "1 d 1 h" && Figures.bytes(9_739_608) == "9.3 MiB")
        #expect(Figures.plain(0.058) == "0.058" && Figures.plain(3) == "3" && Figures.plain(0.00550) == "0.00550")
        let now = Date(timeIntervalSince1970: 1_000_000)
        #expect(Figures.ago(now.addingTimeInterval(-61), now: now) == "1 min ago")
        #expect(Figures.date("2026-11-28T08:04:47.457468+00:00") != nil && Figures.date("soon") == nil)
    }
}

/// A body whose chunks come when they are asked for.
private struct Upload: AsyncSequence, AsyncIteratorProtocol {
    typealias Element = [UInt8]
    typealias Chunk = @Sendable () async throws -> [UInt8]

    private var chunks: ArraySlice<Chunk>

    init(_ chunks: [Chunk]) { self.chunks = chunks[...] }

    init(bytes: Int) { self.init([{ [UInt8](repeating: 0, count: bytes) }]) }

    mutating func next() async throws -> [UInt8]? { try await chunks.popFirst()?() }

    func makeAsyncIterator() -> Upload { self }
}

/// A clock that goes as far as it is told.
private final class PassingTime: Sendable {
    private let start = ContinuousClock.now
    private let passed = Mutex(Duration.zero)

    var now: ContinuousClock.Instant { start + passed.withLock { $0 } }

    func pass(_ duration: Duration) { passed.withLock { $0 += duration } }
}
