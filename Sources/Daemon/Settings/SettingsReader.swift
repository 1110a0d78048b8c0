import Broker
import Foundation
import Jobs
import Store

extension Settings {
    /// Reads and validates the settings.
    ///
    /// - Parameters:
    ///   - file: a JSON object of settings by name; nil reads the installation's, where that is there.
    ///   - environment: `ATELIER_…` variables, `CREDENTIALS_DIRECTORY` and `STATE_DIRECTORY` of systemd.
    ///   - optional: settings that may be missing, for programs that do not need them; they are empty then.
    ///   - executable: the running program, whose folder the engine and the models are looked for in.
    ///   - installation: the folder of an installed service's settings and URLs: what the unit hands its daemon, an
    ///     operator's command finds there.
    /// - Throws: `SettingsProblems` with every problem there is.
    package static func read(
        file: String?, environment: [String: String], optional: Set<String> = [], executable: String = "/proc/self/exe",
        installation: String = "/etc/atelier"
    ) throws -> Settings {
        var reader = SettingsReader(
            environment: environment, optional: optional, executable: executable, installation: installation)
        let installed = installation + "/atelier.json"
        if let file = file ?? (access(installed, R_OK) == 0 ? installed : nil) { reader.load(file: file) }
        return try reader.settings()
    }
}

/// Gathers values by name, converts them, and keeps every problem instead of stopping at the first.
private struct SettingsReader {
    let environment: [String: String]
    let optional: Set<String>
    let executable: String
    let installation: String
    var values: [String: (text: String, origin: String)] = [:]
    var problems: [String] = []

    init(environment: [String: String], optional: Set<String>, executable: String, installation: String) {
        self.environment = environment
        self.optional = optional
        self.installation = installation
        self.executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: executable)) ?? executable
        for row in Settings.table {
            if let text = environment[row.environment] { values[row.name] = (text, row.environment) }
        }
    }

    mutating func load(file: String) {
        guard let data = InputFile.contents(file) else {
            return problems.append("\(file): cannot be read; give a JSON file, or none")
        }
        let object: JSONValue
        do throws(Problems) { object = try StrictJSON.value(of: data) } catch {
            problems += error.list.map { "\(file): \($0)" }
            return
        }
        guard case .object(let entries) = object else {
            return problems.append("\(file): must hold one JSON object of settings")
        }
        for (name, value) in entries.sorted(by: { $0.key < $1.key }) { take(name, value, from: file) }
    }

    private mutating func take(_ name: String, _ value: JSONValue, from file: String) {
        guard Settings.table.contains(where: { $0.name == name }) else {
            let names = Settings.table.map(\.name).joined(separator: ", ")
            return problems.append("\(file): /\(name): unknown setting; allowed are \(names)")
        }
        guard let text = text(of: value) else {
            return problems.append("\(file): /\(name): must be a string or a number")
        }
        if values[name] == nil { values[name] = (text, "\(file): /\(name)") }
        if name.hasSuffix("URL"), text.contains("@"), isOpenToOthers(file) {
            problems.append(
                """
                \(file): /\(name): holds a password, and the file can be read by others; chmod 600 it or use \
                \(name)File
                """
            )
        }
    }

    private func text(of value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): String(number)
        case .null, .bool, .array, .object: nil
        }
    }

    private func isOpenToOthers(_ file: String) -> Bool {
        var status = stat()
        return stat(file, &status) == 0 && status.st_mode & 0o004 != 0
    }

    mutating func settings() throws -> Settings {
        var settings = Settings()
        for setting in Settings.table { read(setting, into: &settings) }
        if Double(settings.leaseSeconds) < 3 * settings.heartbeatSeconds {
            problems.append(
                """
                \(origin("leaseSeconds")): \(settings.leaseSeconds) is less than three heartbeats of \
                \(settings.heartbeatSeconds) s; one late heartbeat would cost the job
                """
            )
        }
        if settings.slots == 0 {
            problems.append("trainingSlots and drawingSlots: both are 0; no job would ever run")
        }
        guard problems.isEmpty else { throw SettingsProblems(problems) }
        return settings
    }

    private mutating func read(_ setting: Setting, into settings: inout Settings) {
        switch setting.content {
        case .url(let place, let credential, let schemes):
            settings[keyPath: place] = url(
                setting.name, credential: credential, schemes: schemes, settings.certificateAuthority)
        case .urlFile: break
        case .path(let place): settings[keyPath: place] = path(setting, settings)
        case .name(let place): settings[keyPath: place] = name(setting)
        case .names(let place): settings[keyPath: place] = names(setting)
        case .address(let place): settings[keyPath: place] = address(setting)
        case .integer(let place, let range): settings[keyPath: place] = integer(setting, range)
        case .number(let place, let range): settings[keyPath: place] = number(setting, range)
        case .days(let place, let range):
            let days = number(setting, range)
            settings[keyPath: place] = days == 0 ? nil : days
        case .choice(let place, let words): settings[keyPath: place] = choice(setting, words)
        }
    }

    /// What a setting is where nobody gives it: the table's, or what this host and this installation make of it.
    private func standard(_ setting: Setting, _ settings: Settings) -> String? {
        let folder = (executable as NSString).deletingLastPathComponent
        return switch setting.name {
        case "stateDirectory": environment["STATE_DIRECTORY"] ?? (isInstalled ? "/var/lib/atelier" : nil)
        case "sharedDirectory": settings.stateDirectory.isEmpty ? nil : settings.stateDirectory
        case "modelsDirectory": Installation(programs: folder).folder("models")
        case "engine": folder + "/atelier-engine"
        case "workerName": hostName()
        default: setting.standard
        }
    }

    /// How a path that must be given is to be given.
    private func advice(on setting: Setting) -> String {
        guard setting.name == "modelsDirectory" else { return "give an absolute path" }
        let installation = Installation(programs: (executable as NSString).deletingLastPathComponent)
        return "\(installation.absence(of: "models")); give an absolute path"
    }

    private var isInstalled: Bool { access(installation, F_OK) == 0 }

    private func origin(_ name: String) -> String { values[name]?.origin ?? name }

    private mutating func missing(_ name: String, _ how: String) -> String {
        if optional.contains(name) || Settings.table.contains(where: { $0.name == name && $0.standard == "" }) {
            return ""
        }
        let variable = Settings.table.first { $0.name == name }?.environment ?? name
        let isHidden = isInstalled && access(installation, R_OK | X_OK) != 0
        problems.append(
            "\(name): is not set; \(how) (\(variable) in the environment, \"\(name)\" in the file)"
                + (isHidden ? "; \(installation) is not yours to read: try sudo" : ""))
        return ""
    }

    /// A URL's text and where that stands, first found wins: its variable or key, its file setting, systemd's
    /// credential. Nil where there is none.
    private mutating func urlText(_ name: String, credential: String) -> (text: String, source: String)? {
        if let text = values[name]?.text { return (text, origin(name)) }
        if let file = values[name + "File"]?.text, !file.isEmpty {
            if let text = secret(in: file) { return (text, file) }
            problems.append("\(origin(name + "File")): \(file) cannot be read")
            return nil
        }
        for folder in [environment["CREDENTIALS_DIRECTORY"], isInstalled ? installation : nil] {
            guard let source = folder.map({ $0 + "/" + credential }), let text = secret(in: source) else { continue }
            return (text, source)
        }
        _ = missing(name, "give a URL, a file with it, or the credential \(credential)")
        return nil
    }

    private mutating func url(_ name: String, credential: String, schemes: [String], _ authority: String) -> Secret {
        guard let (text, source) = urlText(name, credential: credential) else { return Secret("") }
        // libpq repeats such a URL in its errors, password and all.
        if text.contains(/%(?![0-9A-Fa-f]{2})/) {
            problems.append(
                "\(source): holds a % that no two hexadecimal digits follow; a % of a password is written %25")
            return Secret("")
        }
        // The value itself is never repeated: it may hold a password.
        guard let scheme = schemes.first(where: { text.hasPrefix($0 + "://") }) else {
            problems.append(
                "\(source): is not a URL that begins with \(schemes.map { $0 + "://" }.joined(separator: " or "))")
            return Secret("")
        }
        guard let parts = URLComponents(string: text) else {
            let several = scheme.hasPrefix("amqp") ? "" : "; several hosts with ports are ?host=A,B&port=5432,5433"
            problems.append(
                "\(source): cannot be read as a URL; / in a name or password is written %2F, ? %3F, # %23" + several)
            return Secret("")
        }
        let access = ServerAccess(url: parts, isFromFile: values[name] == nil, certificateAuthority: authority)
        problems += access.problems(file: name + "File").map { "\(source): \($0)" }
        if scheme.hasPrefix("amqp") {
            do throws(BrokerError) { _ = try BrokerAddress(url: text, certificateAuthority: authority) } catch {
                problems.append("\(source): \(error)")
            }
        }
        return Secret(access.completeURL ?? text)
    }

    private func secret(in file: String) -> String? {
        InputFile.contents(file)
            .flatMap { String(data: $0, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines) }
            // A unit's credential must be there: an empty one is how nothing is given.
            .flatMap { $0.isEmpty ? nil : $0 }
    }

    private mutating func path(_ setting: Setting, _ settings: Settings) -> String {
        guard let text = values[setting.name]?.text ?? standard(setting, settings), !text.isEmpty else {
            // Where the state directory is missing, that is problem enough.
            return setting.name == "sharedDirectory" ? "" : missing(setting.name, advice(on: setting))
        }
        guard text.hasPrefix("/") else {
            problems.append("\(origin(setting.name)): \"\(text)\" is not an absolute path")
            return text
        }
        // Only what was named must be there: nobody needs the system's who has no TLS.
        if setting.name == "certificateAuthority", values[setting.name] != nil, access(text, R_OK) != 0 {
            problems.append("\(origin(setting.name)): \(text) cannot be read; give a PEM file")
        }
        return text.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private func given(_ setting: Setting) -> String {
        values[setting.name]?.text ?? standard(setting, Settings()) ?? ""
    }

    private mutating func name(_ setting: Setting) -> String { name(given(setting), of: setting) }

    private mutating func address(_ setting: Setting) -> String {
        let text = given(setting)
        if text.isEmpty { return text }
        let parts = URLComponents(string: text)
        if !["http", "https"].contains(parts?.scheme ?? "") || (parts?.host ?? "").isEmpty || text.hasSuffix("/") {
            problems.append(
                "\(origin(setting.name)): \"\(text)\" is no address; http:// or https://, a host, no slash at its end")
        }
        return text
    }

    private mutating func names(_ setting: Setting) -> String {
        let list = given(setting).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        return list.map { name($0, of: setting) }.joined(separator: ",")
    }

    private mutating func name(_ text: String, of setting: Setting) -> String {
        let isAllowed = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F].contains(byte)
        }
        if text.isEmpty || text.utf8.count > 64 || !isAllowed {
            problems.append(
                """
                \(origin(setting.name)): \"\(text)\" is not a name; 1 to 64 letters, digits, dots, dashes and \
                underscores are allowed
                """
            )
        }
        return text
    }

    private mutating func integer(_ setting: Setting, _ range: ClosedRange<Int>) -> Int {
        let text = given(setting)
        guard let value = Int(text), range.contains(value) else {
            problems.append(
                """
                \(origin(setting.name)): \"\(text)\" is not a whole number from \(range.lowerBound) to \
                \(range.upperBound)
                """)
            return range.lowerBound
        }
        return value
    }

    private mutating func number(_ setting: Setting, _ range: ClosedRange<Double>) -> Double {
        let text = given(setting)
        guard let value = Double(text), range.contains(value) else {
            problems.append(
                "\(origin(setting.name)): \"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
            return range.lowerBound
        }
        return value
    }

    private mutating func choice(_ setting: Setting, _ words: [String]) -> String {
        let text = given(setting)
        if !words.contains(text) {
            problems.append("\(origin(setting.name)): \"\(text)\" is not one of \(words.joined(separator: ", "))")
        }
        return text
    }

    private func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 65)
        gethostname(&buffer, 64)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
