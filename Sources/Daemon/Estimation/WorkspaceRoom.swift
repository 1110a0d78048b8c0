import Jobs

/// The room that the jobs of this daemon have for what they keep as they run: checkpoints, pictures.
struct WorkspaceRoom: Sendable {
    let shared: SharedFolder
    /// A folder in the file system of their workspaces.
    let folder: String
    /// What takes no more than the room without which no work is started finds it when it begins.
    let limits: HostLimits

    /// What is to be said of a job that keeps more than is free now; nil where there is room, or nobody knows. It is
    /// not refused, for room comes back: no worker begins it before it has the room (`atelier.claim`).
    func warning(of cost: JobCost) async -> String? {
        guard FreeDisk.mebibytes(of: cost.diskBytes) > limits.freeDiskMiB,
            (try? await shared.check()) != nil,  // what hangs is not asked for its room
            let free = try? await runBlocking({ [folder] in FreeDisk(of: folder) })
        else { return nil }
        return free.shortage(for: cost).map { "there may be no room for it: \($0)" }
    }
}
