import DaemonTesting
import Foundation
import Jobs
import ServerTesting
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
    }

    /// The largest take as much memory as there is; small ones go beside them.
    @Test func ofLargeBodiesAreHeldAsManyAsMayBe() async throws {
        let bodies = BodyAllowance(most: 10 << 20)
        for bytes in [nil, 10 << 20, 99 << 20] as [Int?] {
            let inner = try await bodies.hold(bytes) {
                await #expect(throws: (any Error).self) { try await bodies.hold(2 << 20) {} }
                return try await bodies.hold(BodyAllowance.small) { 1 }
            }
            #expect(inner == 1)
        }
        let both = try await bodies.hold(5 << 20) { try await bodies.hold(5 << 20) { 2 } }
        #expect(both == 2)
        await #expect(throws: CancellationError.self) {
            try await bodies.hold(nil) { () async throws -> Int in throw CancellationError() }
        }
        #expect(try await bodies.hold(nil) { 3 } == 3, "also what failed is given back")
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
        for place in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1"] {
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

    @Test func aDrawingEscapesNamesAndBearsAnyNumber() throws {
        let points: [(x: Double, y: Double)] = [(1, 3), (2, .nan), (3, 1), (4, .infinity)]
        let svg = try #require(LineChart(title: "<b>", curves: [.init(name: "\"><script>", points: points)]).svg)
        #expect(!svg.contains("<script>") && !svg.contains("<b>") && !svg.contains("nan") && !svg.contains("inf"))
        #expect(LineChart(title: "", curves: [.init(name: "", points: [(1, .nan), (2, .nan)])]).svg == nil)
        let flat = LineChart(title: "", curves: [.init(name: "", points: [(1, 2), (2, 2)])]).svg
        #expect(flat?.contains("polyline") == true)
    }

    @Test func aCardIsTextInBlocks() {
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
                .heading("A *model*"), .paragraph("It knows cats, and dogs."), .item("one goes on"),
                .item("<script>two</script>"), .row(["a", "b"]), .row(["1", "2"]),
            ])
    }

    /// A number in a template stands for itself: what is counted, one or several, `Figures.counted` says.
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
        #expect(Figures.counted(1, "job", "waits", "wait") == "1 job waits")
        #expect(Figures.counted(0, "job", "waits", "wait") == "0 jobs wait")
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
