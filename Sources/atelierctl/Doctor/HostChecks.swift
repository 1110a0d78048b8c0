import Catalogue
import Daemon
import Foundation

/// What is looked at on this host: the engine, the models and the folders.
extension DoctorChecks {
    /// How long a folder may take to answer; of a slow disk's many models every header is read.
    private static let patience: Duration = .seconds(30)

    func engine() async -> Finding {
        await finding("engine") {
            let settings = settings
            if let fault = try await runBlocking(in: settings.engine, within: Self.patience, { settings.engineFault }) {
                throw Doctor.Trouble(fault)
            }
            let run = ProcessInfo.processInfo.environment
            let answer = try await EngineScratch.with(settings) { await EngineGreeting($0, environment: run).answer() }
            guard let answer else {
                return "\(settings.engine); it does not say which protocol it speaks"
            }
            if let remedy = answer.remedy { throw Doctor.Trouble(remedy) }
            let lacks = answer.lacks.isEmpty ? "" : "; it does not do " + answer.lacks.joined(separator: ", ")
            return "\(settings.engine), protocol \(answer.version)\(lacks)"
        }
    }

    func models() async -> Finding {
        await finding("models") {
            let folder = settings.modelsDirectory
            guard !folder.isEmpty else { throw Doctor.Trouble("no folder of models is set or found") }
            let models = try await runBlocking(in: folder, within: Self.patience) {
                (try? ModelCatalogue(directory: folder).models) ?? []
            }
            guard !models.isEmpty else { throw Doctor.Trouble("\(folder) is not there or holds no model") }
            let problems = models.flatMap { model in model.problems.map { "\(model.name)/\($0)" } }
            guard problems.isEmpty else { throw Doctor.Trouble(problems.joined(separator: "; ")) }
            return models.map(\.name).joined(separator: ", ")
        }
    }

    func state() async -> Finding {
        await finding("state folder") {
            var problems: [String] = []
            for folder in Set([settings.stateDirectory, settings.sharedDirectory]).sorted() {
                do {
                    let found = try await runBlocking(in: folder, within: Self.patience) { problem(of: folder) }
                    problems += [found].compactMap { $0 }
                } catch { problems.append("\(error)") }
            }
            guard problems.isEmpty else { throw Doctor.Trouble(problems.joined(separator: "; ")) }
            return settings.stateDirectory
        }
    }

    private func problem(of folder: String) -> String? {
        if isAbsent(folder) { return "\(folder) is not there; \(remedy(of: folder))" }
        return access(folder, W_OK) == 0 ? nil : "\(folder) cannot be written to by this user"
    }

    private func remedy(of folder: String) -> String {
        folder == settings.stateDirectory
            ? "sudo systemd-tmpfiles --create atelier.conf" : "is the file system of sharedDirectory mounted?"
    }

    func disk() async -> Finding {
        await finding("disk") {
            let folders = Set([settings.stateDirectory, settings.artifactsDirectory]).sorted()
            return try await runBlocking(in: folders.joined(separator: " or "), within: Self.patience) {
                if let absent = folders.first(where: isAbsent) { return "not measured: \(absent) is not there yet" }
                let free = settings.freeDisk
                guard free.mebibytes >= settings.freeDiskMiB else {
                    let needed = "\(settings.freeDiskMiB) MiB are needed"
                    throw Doctor.Trouble("\(free.mebibytes) MiB free in \(free.folder), \(needed)")
                }
                return "\(free.mebibytes) MiB free"
            }
        }
    }

    private func isAbsent(_ folder: String) -> Bool { access(folder, F_OK) != 0 && errno == ENOENT }
}
