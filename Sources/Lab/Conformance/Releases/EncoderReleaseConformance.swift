import Autograd
import Backbones
import Catalogue
import Images
import Jobs
import Tensors

/// CLIP, DINO and LPIPS as they are shipped: every folder and file that holds one.
struct EncoderReleaseConformance {
    let release: ReleaseCase

    /// Everything of a kind that lies in the release.
    /// - Throws: ``ConformanceError`` where a file cannot be read, or nothing is of the kind.
    private func places(_ kind: ReleasePiece.Kind) throws -> [ReleasePiece] {
        let scan = ReleaseScan([release.folder])
        guard scan.problems.isEmpty else { throw release.problem(scan.problems.joined(separator: "; ")) }
        let pieces = scan.pieces(kind)
        guard !pieces.isEmpty else { throw release.problem("nothing in it is \(kind.rawValue)") }
        return pieces
    }

    // MARK: CLIP

    func clip() throws {
        for piece in try places(.clip) {
            let encoder = try release.asModel([piece.path]) { folder, _ in try CLIPEncoder(directory: folder) }
            try texts(encoder, piece.name)
            try pictures(encoder, piece.name)
        }
    }

    private func texts(_ encoder: CLIPEncoder, _ name: String) throws {
        let texts = try release.texts("texts")
        let length = try release.recorded.entry("ids").shape[1]
        let ids = texts.map(encoder.marked)
        let padding = encoder.tokenizer.paddingID
        try release.compareExactly(
            "ids", ids.flatMap { ($0 + Array(repeating: padding, count: max(length - $0.count, 0))).map(Int.init) },
            called: "\(name): ids")
        try release.compareExactly(
            "attention_mask", ids.flatMap { ids in (0..<length).map { $0 < ids.count ? 1 : 0 } },
            called: "\(name): attention_mask")
        try release.compare("text_embeds", encoder.embeddings(of: texts), called: "\(name): text_embeds")
    }

    private func pictures(_ encoder: CLIPEncoder, _ name: String) throws {
        let count = release.recorded.names.count { $0.hasPrefix("image_u8.") }
        let pictures = try (0..<count).map { try release.picture("image_u8.\($0)") }
        try release.compare("pixel_values", encoder.preparation(pictures), called: "\(name): pixel_values")
        let places = encoder.embeddings(of: pictures)
        try release.compare("image_embeds", places, called: "\(name): image_embeds")
        let words = encoder.embeddings(of: try release.texts("texts"))
        let logits = encoder.model.logits(Variable(places), Variable(words)).value
        try release.compare("logits_per_image", logits, called: "\(name): logits_per_image")
    }

    // MARK: DINO

    func dino() throws {
        let (own, other) = (Variable(try release.tensor("x")), Variable(try release.tensor("y")))
        var wishes = ReleaseWishes()
        wishes.heads = release.unwritten("num_heads")?.integer
        for piece in try places(.dino) {
            let model = try release.asModel([piece.path], wishes) { folder, _ in try DINOEncoder(directory: folder) }
                .model
            if piece.checkpoint.contains("pos_embed") {
                try release.compare("cls_native", model.embeddings(own).value)
                try release.compare("cls_other_size", model.embeddings(other).value)
            } else {
                try release.compare("hf.last_hidden_state", model.tokens(own).value)
            }
        }
    }

    // MARK: LPIPS

    func lpips() throws {
        let (a, b) = (try pictures("a_u8"), try pictures("b_u8"))
        let model = try release.asModel { folder, release in
            try LPIPS(files: release.parts.map { "\(folder)/\($0.stem).safetensors" })
        }
        try release.compare("per_layer", model.distances(a, b))
        try release.compare("distance", model.distance(a, b))
    }

    private func pictures(_ name: String) throws -> Tensor {
        .pictures(try (0..<release.recorded.entry(name).shape[0]).map { try release.picture(name, $0) })
    }
}
