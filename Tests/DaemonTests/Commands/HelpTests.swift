import DaemonTesting
import Foundation
import Jobs
import ServerTesting
import Testing

/// What atelierctl says of itself.
@Suite(.timeLimit(.minutes(15))) struct HelpTests {
    private func run(_ arguments: String...) async throws -> ProgramRun {
        try await ProgramRun(Stage.programs + "/atelierctl", arguments, environment: ["PATH": "/usr/bin:/bin"])
    }

    @Test func everyExitCodeIsDocumented() async throws {
        let help = try await run("--help")
        #expect(help.status == 0)
        let words = help.output.split { $0.isWhitespace }.joined(separator: " ")  // lines break anywhere
        for code in [
            "0 done", "1 the job", "2 doctor", "64 wrong", "65 unacceptable", "66 not found", "69 a server",
            "74 the output", "75 not confirmed", "78 wrong",
        ] {
            #expect(words.contains(code), "\(code) in \(words)")
        }
        #expect(try await run("jobs", "explode").status == 64)
    }

    /// A terminal breaks lines where it ends; what is broken before stands in pieces there.
    @Test(arguments: ["atelierctl", "atelierd"])
    func sentencesAreBrokenByTheTerminalAlone(_ program: String) async throws {
        let dump = try await ProgramRun(
            "\(Stage.programs)/\(program)", ["--experimental-dump-help"], environment: ["PATH": "/usr/bin:/bin"])
        var open = try [JSONValue(json: Data(dump.output.utf8))["command"] ?? .null]
        while let command = open.popLast() {
            for line in (command["discussion"]?.string ?? "").split(separator: "\n").dropLast() {
                #expect(line.hasSuffix("."), "\(command["commandName"]?.string ?? ""): \(line)")
            }
            open += command["subcommands"]?.array ?? []
        }
    }

    /// Whoever asks a program of ops what it does is told, and nothing is done.
    @Test func programsOfOpsTellWhatTheyAreFor() async throws {
        let folder = Servers.root + "/ops"
        let programs = try FileManager.default.contentsOfDirectory(atPath: folder).filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
                && !isFolder.boolValue && FileManager.default.isExecutableFile(atPath: "\(folder)/\(name)")
        }
        #expect(programs.count > 10)
        for program in programs.sorted() {
            let run = try await ProgramRun(
                "\(folder)/\(program)", ["--help"], environment: ["PATH": "/usr/bin:/bin"], within: 60)
            #expect(run.status == 0 && run.output.contains(program), "\(program): \(run)")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func shellsCanCompleteIt(_ shell: String) async throws {
        let script = try await run("--generate-completion-script", shell)
        #expect(script.status == 0)
        for command in [
            "submit", "jobs", "rejections", "concepts", "artifacts", "dead", "workers", "pause", "resume", "migrate",
            "doctor",
            "probe", "models", "schema", "run", "estimate",
        ] {
            #expect(script.output.contains(command), "\(command)")
        }
    }

    /// On a full disk.
    @Test(arguments: [
        ("atelierctl", ["schema", "--any-model"]), ("atelierctl", ["schema", "--options"]),
        ("atelierd", ["check", "--explain"]),
    ])
    func outputThatCannotBeWrittenIsNoSuccess(program: String, arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let errors = try folder.write("errors", "")
        let child = try ChildProgram(
            "\(Stage.programs)/\(program)", arguments, environment: ["PATH": "/usr/bin:/bin"], output: "/dev/full",
            errors: errors)
        #expect(try await child.ended(within: 60) == 74)
        let said = try String(contentsOfFile: errors, encoding: .utf8)
        #expect(said == "\(program): stdout cannot be written: No space left on device\n")
    }

    @Test func errorsThatCannotBeWrittenEndNothing() async throws {
        let child = try ChildProgram(
            Stage.programs + "/atelierctl", ["models", "show", "nobody"],
            environment: ["PATH": "/usr/bin:/bin", "ATELIER_MODELS": "/nowhere"], output: "/dev/null",
            errors: "/dev/full")
        #expect(try await child.ended(within: 60) == 66)
    }

    /// Of what East Asian scripts and emoji are written with, each takes two columns of a terminal.
    @Test(arguments: ["模型", "モデ", "🐕🐕"]) func columnsStandBelowEachOther(_ name: String) async throws {
        let folder = try TemporaryFolder()
        for model in ["abcd", name] {
            let path = "\(folder.path)/\(model)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try folder.write("\(model)/config.json", "{}")
        }
        let list = try await ProgramRun(
            Stage.programs + "/atelierctl", ["models", "list"],
            environment: ["PATH": "/usr/bin:/bin", "ATELIER_MODELS": folder.path])
        #expect(list.lines.count == 3, "\(list)")
        let rows = list.lines.dropFirst()
        let narrow = try #require(rows.first { $0.hasPrefix("abcd") })
        let wide = try #require(rows.first { $0.hasPrefix(name) })
        #expect(wide == narrow.replacing("abcd", with: name), "\(list)")
    }

    /// A job's file is read as strictly as the daemon reads messages.
    @Test(arguments: [
        (#"{"version":1,"kind":"probe","kind":"probe"}"#, "kind"), (#"{"version":1,"kind":"probe",}"#, "byte"),
        ("[]", "not a JSON object"),
        // What is misspelt beside a picture's file is not dropped on the way.
        (
            #"{"version":1,"kind":"evaluate","model":"m","concepts":["rex"],"suite":"little-world","images":"#
                + #"[{"file":"job.json","corp":{"left":0}}]}"#, "corp"
        ),
    ])
    func aJobThatIsNoStrictJSONIsRefused(text: String, word: String) async throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/job.json"
        try Data(text.utf8).write(to: URL(filePath: file))
        for command in ["estimate", "submit", "run"] {
            let settings = ["PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": "amqp://127.0.0.1:1"]
            let run = try await ProgramRun(Stage.programs + "/atelierctl", [command, file], environment: settings)
            #expect(run.status == 65 && "\(run)".contains(word), "\(command): \(run)")
        }
    }

    /// In a file, unlike in a message.
    @Test(arguments: [
        (#""1.png""#, #"/images/0: found "1.png"; allowed: {"file": "rex.png"}, or an object with"#),
        ("{}", #"/images/0: found an empty object; allowed: {"file": "rex.png"}, or an object with"#),
        (#"{"path":"1.png"}"#, "/images/0/path: found an unknown field; allowed: file, png, data"),
        (#"{"file":null}"#, "/images/0/file: found null; allowed: a file's name, which atelierctl reads"),
        (
            #"{"file":"1.png","data":"iVBORw0KGgo="}"#,
            "/images/0/file: found a file beside data; allowed: one of them: atelierctl reads the file"
        ),
        (#"{"file":"1.png","png":"iVBORw0KGgo="}"#, "/images/0/file: found a file beside png; allowed: one of them"),
    ])
    func howAPictureIsNamedInAJobsFileIsTold(picture: String, told: String) async throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(
            "job.json",
            #"{"version":1,"kind":"evaluate","model":"m","concepts":["rex"],"suite":"little-world","images":["#
                + picture + "]}")
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["submit", job],
            environment: ["PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": "amqp://127.0.0.1:1"])
        #expect(run.status == 65 && run.errors.contains(told), "\(run)")
    }

    /// Of several, a number alone does not tell which it is.
    @Test(arguments: [
        ("none.jpg", "none.jpg, which is not there; allowed: a picture's file, from the job's folder or from /", 66),
        ("", ", a folder; allowed: a picture's file", 66), ("empty.jpg", "empty.jpg, an empty file; allowed", 66),
        ("photo.jpg", "photo.jpg, a HEIC picture; allowed: a PNG, a JPEG or a WebP; convert it", 65),
        // Neither is waited for, or read.
        ("pipe", "pipe, a pipe or a device; allowed: a picture's file", 66),
        ("large.jpg", "large.jpg, a file of 1024.0 MiB; allowed: at most 16 MiB", 65),
        // Base64 where a file's name belongs.
        (String(repeating: "A", count: 5000), "AAAA", 66),
    ])
    func whatIsWrongWithAPictureIsSaidOfItsFile(name: String, told: String, status: Int) async throws {
        let folder = try TemporaryFolder()
        try folder.write("empty.jpg", "")
        try folder.write("photo.jpg", "\0\0\0\u{18}ftypheic\0\0\0\0mif1heic")
        try #require(mkfifo(folder.path + "/pipe", 0o600) == 0)
        let large = try folder.write("large.jpg", "")
        try #require(truncate(large, 1 << 30) == 0)
        let job = try folder.write(
            "job.json",
            #"{"version":1,"kind":"evaluate","model":"m","concepts":["rex"],"suite":"little-world","images":[{"file":""#
                + name + #""}]}"#)
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["submit", job],
            environment: ["PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": "amqp://127.0.0.1:1"])
        #expect(run.status == status && run.errors.contains("/images/0/file: found \(folder.path)/\(told)"), "\(run)")
        #expect(run.errors.count < 1000, "\(run)")
    }

    @Test func whatIsWrongWithAPartOfAPictureIsSaidOfItsFile() async throws {
        let folder = try TemporaryFolder()
        let picture = folder.path + "/rex.png"
        try Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]).write(to: URL(fileURLWithPath: picture))
        let job = try folder.write(
            "job.json",
            #"{"version":1,"kind":"evaluate","model":"m","concepts":["rex"],"suite":"little-world","#
                + #""images":[{"file":"rex.png","crop":[0,0,1,1]}]}"#)
        let run = try await ProgramRun(
            Stage.programs + "/atelierctl", ["submit", job],
            environment: ["PATH": "/usr/bin:/bin", "ATELIER_AMQP_URL": "amqp://127.0.0.1:1"])
        #expect(run.status == 65 && run.errors.contains("/images/0/crop: found \(picture), [0,0,1,1]; "), "\(run)")
    }

    @Test(arguments: ["atelierctl", "atelierd"]) func theVersionIsTold(_ program: String) async throws {
        let run = try await ProgramRun(
            "\(Stage.programs)/\(program)", ["--version"], environment: ["PATH": "/usr/bin:/bin"])
        #expect(run.status == 0 && run.output == Release.version + "\n", "\(run)")
    }
}
