import Backbones
import Images

/// What is known of a concept before anything is measured: its references, seen once by both encoders.
package struct ConceptMetrics {
    private let encoders: MetricEncoders
    private let references: (clip: Embeddings, dino: Embeddings)

    /// - Parameter references: one or more.
    package init(references: [Picture], by encoders: MetricEncoders) {
        self.encoders = encoders
        self.references = (Embeddings(of: references, by: encoders.clip), Embeddings(of: references, by: encoders.dino))
    }

    /// A subject's scores: DINO, CLIP-I, CLIP-T; DINO to others where there are any; PRES where there are pictures of
    /// the class; DIV where a prompt has two pictures or more.
    /// - Parameters:
    ///   - pictures: for every prompt its pictures.
    ///   - prompts: as the encoder reads them, without the concept's name.
    ///   - classPictures: what the same model draws of the class prompt.
    ///   - parts: of the pictures, those that show the subject, where others are in them too.
    ///   - others: subjects that must not show in them.
    package func subject(
        _ pictures: [[Picture]], prompts: [String], classPictures: [Picture] = [], parts: [[Picture]]? = nil,
        besides others: [ConceptMetrics] = []
    ) -> [Score] {
        let all = Seen(pictures, encoders)
        let own = parts.map { Seen($0, encoders) } ?? all
        let texts = texts(pictures, prompts)
        return [
            .dino(generated: own.dino, references: references.dino),
            .clipI(generated: own.clip, references: references.clip),
            .clipT(generated: all.clip, prompts: texts),
        ] + otherDINO(own.dino, others) + pres(classPictures) + diversity(pictures)
    }

    /// How far other subjects show in pictures of this one; nothing where there are none.
    private func otherDINO(_ pictures: Embeddings, _ others: [ConceptMetrics]) -> [Score] {
        others.isEmpty
            ? []
            : [.otherDINO(generated: pictures, references: Embeddings(joining: others.map(\.references.dino)))]
    }

    /// A style's scores: style alignment, text alignment; DIV where a prompt has two pictures or more.
    package func style(_ pictures: [[Picture]], prompts: [String]) -> [Score] {
        let all = Seen(pictures, encoders)
        return [
            .styleAlignment(generated: all.clip, style: references.clip),
            .textAlignment(generated: all.clip, prompts: texts(pictures, prompts)),
        ] + diversity(pictures)
    }

    /// How like each other the references are: DINO's and CLIP-I's ceiling, of two references or more.
    package func ceiling() -> [Score] {
        references.dino.count < 2 ? [] : [.dino(among: references.dino), .clipI(among: references.clip)]
    }

    /// PRES alone, of pictures of the class prompt; nothing of none.
    package func pres(_ classPictures: [Picture]) -> [Score] {
        classPictures.isEmpty
            ? [] : [.pres(classPictures: Embeddings(of: classPictures, by: encoders.dino), references: references.dino)]
    }

    /// DIV over the prompts with two pictures or more: LPIPS where it has weights, DINO's distance under its own name
    /// else.
    package func diversity(_ pictures: [[Picture]]) -> [Score] {
        let groups = pictures.filter { $0.count > 1 }
        if groups.isEmpty { return [] }
        if let lpips = encoders.lpips { return [.div(pictures: groups, by: lpips)] }
        return [.divDINO(pictures: groups.map { Embeddings(of: $0, by: encoders.dino) })]
    }

    /// Every picture's own prompt.
    private func texts(_ pictures: [[Picture]], _ prompts: [String]) -> Embeddings {
        Embeddings(of: zip(pictures, prompts).flatMap { group, prompt in group.map { _ in prompt } }, by: encoders.clip)
    }

    private struct Seen {
        let clip, dino: Embeddings

        init(_ pictures: [[Picture]], _ encoders: MetricEncoders) {
            let all = pictures.flatMap { $0 }
            (clip, dino) = (Embeddings(of: all, by: encoders.clip), Embeddings(of: all, by: encoders.dino))
        }
    }
}
