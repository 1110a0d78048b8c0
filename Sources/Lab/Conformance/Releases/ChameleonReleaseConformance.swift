import Autograd
import Backbones
import Catalogue
import Glibc
import Images
import Jobs
import Tensors

/// Lumina-mGPT as it is released: the prompt's template, logits, pictures to tokens and back, and greedy pictures under
/// guidance.
struct ChameleonReleaseConformance {
    let release: ReleaseCase
    let model: ChameleonModel

    init(_ release: ReleaseCase) throws {
        self.release = release
        model = try Self.model(of: release)
    }

    /// A release's model, frozen. Its usual picture is a square no larger than the recorded one: of the release's own
    /// size it may have more codes than there are positions.
    static func model(of release: ReleaseCase) throws -> ChameleonModel {
        var wishes = ReleaseWishes()
        let units = release.description["size_grids_h_w"]?.array?.compactMap(\.integer) ?? []
        wishes.side = units.min().map { 32 * $0 }
        let model = try release.asModel(nil, wishes) { folder, _ in try ChameleonModel(directory: folder) }
        model.freeze()
        return model
    }

    func run() throws {
        for index in try release.texts("prompts").indices {
            try release.compareExactly("prompt.ids.\(index)", try prompt(index).map(Int.init))
        }
        let picture = try encoded()
        try teacherForced(picture)
        try greedy()
    }

    private var vocabulary: ChameleonVocabulary { model.configuration.vocabulary }
    private var patch: Int { model.configuration.tokenizer.patchSize }

    /// The picture's size in codes; what is said is in the vocabulary's units.
    private func grid() throws -> PictureGrid {
        let units = try release.said("size_grids_h_w").array?.compactMap(\.integer) ?? []
        guard units.count == 2 else { throw release.problem("size_grids_h_w is no height and width") }
        let scale = vocabulary.sizeUnit / patch
        return PictureGrid(height: units[0] * scale, width: units[1] * scale)
    }

    private func prompt(_ index: Int) throws -> [Int32] {
        vocabulary.opened(model.words(try release.texts("prompts")[index], grid: try grid()))
    }

    /// A picture's whole sequence.
    private func sequence(_ codes: [Int32], _ grid: PictureGrid) -> [Int32] {
        vocabulary.heading(grid, patchSize: patch) + vocabulary.rows(codes, grid)
    }

    private func encoded() throws -> [Int32] {
        let picture = Tensor.pictures([try release.picture("image_u8")])
        let features = model.tokenizer.features(Variable(picture)).value
        try release.compare("image.z", features)
        let grid = PictureGrid(height: features.shape[2], width: features.shape[3])
        let ids = sequence(model.tokenizer.codes(picture)[0], grid)
        try release.compareExactly("image.ids", ids.map(Int.init))
        return ids
    }

    private func teacherForced(_ picture: [Int32]) throws {
        let prompt = try prompt(0)
        let ids = prompt + picture + [vocabulary.separator]
        try release.compareExactly("tf.ids", ids.map(Int.init))
        let logits = model.transformer.logits(ids, batch: 1).value
        let width = logits.width
        let every16 = (0..<logits.count).filter { $0 % width % 16 == 0 }.map { logits.pointer[$0] }
        try release.compare("tf.logits_every16", Tensor(every16, shape: [ids.count, every16.count / ids.count]))
        let end = prompt.count - 1
        try release.compare(
            "tf.logits_at_prompt_end",
            Tensor((0..<width).map { logits.pointer[end * width + $0] }, shape: [width]))
        let sums = (0..<ids.count).map { row -> Float in
            let values = (0..<width).map { Double(logits.pointer[row * width + $0]) }
            let most = values.max()!
            return Float(most + log(values.reduce(0) { $0 + exp($1 - most) }))
        }
        try release.compare("tf.logsumexp", Tensor(sums, shape: [sums.count]))
    }

    /// The picture's logits [2, V] under guidance; without it there is one row alone.
    private func guided(_ logits: Tensor, by guidance: Float) -> Tensor {
        guard logits.rows > 1 else { return logits }
        let (cond, uncond) = (logits.slice(0..<1).values, logits.slice(1..<2).values)
        let guided = zip(cond, uncond).map { $1 + guidance * ($0 - $1) }
        return Tensor(guided, shape: [guided.count])
    }

    private func greedy() throws {
        let grid = try grid()
        let guidance = Float(try release.number("cfg"))
        let heading = vocabulary.heading(grid, patchSize: patch)
        var seen: [Tensor] = []
        let codes = model.transformer.generate(
            [ChameleonPrompt(ids: try prompt(0) + heading)], heading: heading, grid: grid, vocabulary: vocabulary,
            sampling: CodeSampling(guidance: guidance, topK: 1, temperature: 1, seeds: [0]),
            observe: { seen.append($0) })[0]
        try release.compareExactly("greedy.ids", sequence(codes, grid).map(Int.init))
        for (name, logits) in [("first", seen[0]), ("last", seen[seen.count - 1])] {
            try release.compare("greedy.\(name)_guided_logits", guided(logits, by: guidance))
        }
        let decoded = model.tokenizer.decode([codes], height: grid.height, width: grid.width)
        try release.compare("decoded", decoded)
        try release.comparePicture("picture", decoded.pictures()[0])
    }
}
