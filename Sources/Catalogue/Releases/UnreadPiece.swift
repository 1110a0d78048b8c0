import Checkpoints
import Jobs

/// A set of shards of which not all can be read: what it is stands in its index, so what else is missing of the release
/// is said before they are all there.
package struct UnreadPiece: Sendable {
    let kind: ReleasePiece.Kind
    /// The folder its shards lie in.
    let folder: String

    /// Nil where there is no index at a path, or one of nothing known.
    init?(_ path: String) {
        guard let names = Checkpoint.indexedNames(at: path), let kind = ReleasePiece.Kind(names: names) else {
            return nil
        }
        (self.kind, folder) = (kind, FilePlace.nearestFolder(to: path))
    }
}

extension ReleaseScan {
    /// What is missing beside a model's transformer of which not all shards can be read; nil where there is none.
    func missingBesideUnread(_ wishes: ReleaseWishes) -> [String]? {
        func transformer(_ kind: ReleasePiece.Kind, _ family: ModelFamily) -> UnreadPiece? {
            wishes.family == nil || wishes.family == family ? unread.first { $0.kind == kind } : nil
        }
        if let piece = transformer(.chameleonTransformer, .chameleon) {
            return ChameleonTransformerFiles.missing(in: piece.folder, self)
                + lacking(.chameleonTokenizer, "its VQGAN is not here: \(ChameleonRelease.vqganName)", beside: piece)
        }
        if let piece = transformer(.infinityTransformer, .infinity) {
            let text = T5Release.missingBesideUnread(self)
            return lacking(.bitwiseTokenizer, "its VAE is not here: \(InfinityRelease.largestVAE)", beside: piece)
                + (text ?? lacking(.textEncoder, "its text encoder is not here: flan-t5-xl", beside: piece))
        }
        return nil
    }

    private func lacking(_ kind: ReleasePiece.Kind, _ what: String, beside piece: UnreadPiece) -> [String] {
        pieces(kind).isEmpty ? ["\(piece.folder) is \(piece.kind.rawValue); \(what)"] : []
    }
}
