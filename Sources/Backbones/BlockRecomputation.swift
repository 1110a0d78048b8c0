/// Which trainings keep what their blocks computed for the way back, and which compute it once more: a matter of sizes
/// alone, so that a job gives the same bytes wherever it runs.
package enum BlockRecomputation {
    /// Numbers a channel of a token that a block keeps, about: of attention, of what lies between, and of a
    /// feed-forward four times as wide. Norms and activations are not among them (`CheapOutputs`).
    private static let kept = 16
    /// Numbers up to which they are kept: 2 GiB of them. Tests have small models compute theirs once more.
    @TaskLocal package static var most = 1 << 29

    /// Whether `depth` blocks over `rows` tokens of all samples, `width` channels each, are computed once more.
    static func pays(rows: Int, width: Int, depth: Int) -> Bool { pays(reading: rows * width * depth) }

    /// The same of blocks that read so many numbers in all, each a token's channel.
    static func pays(reading numbers: Int) -> Bool { kept * numbers > most }
}
