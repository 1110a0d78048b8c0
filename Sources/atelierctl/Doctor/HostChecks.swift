import Catalogue
import Daemon
import Foundation

/// What is looked at on this host: the engine, the models and the folders.
extension DoctorChecks {
    func engine() async -> Finding {
        await finding("engine") {
            guard access(settings.engine, X_OK) == 0 else {
                throw Doctor.Trouble("\(settings.engine) cannot be executed")
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

    func models() -> Finding {
        let folder = settings.modelsDirectory
        let models = (try? ModelCatalogue(directory: folder).models) ?? []
        let problems = models.flatMap { model in model.problems.map { "\(model.name)/\($0)" } }
        let absence =
            "\(folder.isEmpty ? "no folder of models is set or found" : folder + " is not there or holds no model")"
        return Finding(
            check: "models",
            problem: models.isEmpty ? absence : problems.isEmpty ? nil : problems.joined(separator: "; "),
            detail: models.map(\.name).joined(separator: ", "))
    }

    func state() -> Finding {
        let problems = Set([settings.stateDirectory, settings.sharedDirectory]).sorted().compactMap { folder in
            if isAbsent(folder) { return "\(folder) is not there; \(remedy(of: folder))" }
            return access(folder, W_OK) == 0 ? nil : "\(folder) cannot be written to by this user"
        }
        return Finding(
            check: "state folder", problem: problems.isEmpty ? nil : problems.joined(separator: "; "),
            detail: settings.stateDirectory)
    }

    private func remedy(of folder: String) -> String {
        folder == settings.stateDirectory
            ? "sudo systemd-tmpfiles --create atelier.conf" : "is the file system of sharedDirectory mounted?"
    }

    func disk() -> Finding {
        let folders = Set([settings.stateDirectory, settings.artifactsDirectory]).sorted()
        if let absent = folders.first(where: isAbsent) {
            return Finding(check: "disk", problem: nil, detail: "not measured: \(absent) is not there yet")
        }
        let free = settings.freeDisk
        let isShort = free.mebibytes < settings.freeDiskMiB
        let needed = "\(settings.freeDiskMiB) MiB are needed"
        return Finding(
            check: "disk", problem: isShort ? "\(free.mebibytes) MiB free in \(free.folder), \(needed)" : nil,
            detail: "\(free.mebibytes) MiB free")
    }

    private func isAbsent(_ folder: String) -> Bool { access(folder, F_OK) != 0 && errno == ENOENT }
}
