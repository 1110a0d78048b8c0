import Checkpoints

extension ModelFolder {
    /// Bytes of matrices from which it is said that half of them would do.
    private static let muchOfMatrices = 2 << 30

    /// What is said of a release whose matrices would take half the memory in bfloat16; nil where that is little.
    package var precisionWarning: String? {
        guard let record = ReleaseRecord(in: folder) else { return nil }
        let bytes = floatMatrixBytes
        guard bytes > Self.muchOfMatrices else { return nil }
        let place = record.isLinked ? " and without --link" : ""
        return """
            its matrices take \(bytes >> 20) MiB of memory, as floats; added with --precision bf16\(place) they take \
            half
            """
    }

    /// Bytes that its matrices take in memory that are copied there as floats, not being read as their files hold them.
    private var floatMatrixBytes: Int {
        weights.filter { $0.problem == nil }.reduce(0) { sum, file in
            guard let checkpoint = try? Checkpoint.open("\(folder)/\(file.name)") else { return sum }
            let matrices = checkpoint.names.compactMap { try? checkpoint.tensor($0) }
                .filter { $0.isMatrix && !$0.isMapped }
            return matrices.reduce(sum) { $0 + 4 * $1.count }
        }
    }
}
