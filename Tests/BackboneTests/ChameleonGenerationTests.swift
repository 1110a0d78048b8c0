import Autograd
import Backbones
import ComputeTesting
import Glibc
import Layers
import Tensors
import Testing

private let vocabulary = ChameleonVocabulary(text: 10, codes: 6, sizeUnit: 32, units: 2)
private let grid = PictureGrid(height: 2, width: 3)
private let heading = vocabulary.heading(grid, patchSize: 16)

private func prompt(_ words: [Int32]) -> ChameleonPrompt { ChameleonPrompt(ids: vocabulary.opened(words) + heading) }

@Suite(.computing) struct ChameleonGenerationTests {
    private let model = ChameleonTransformer(
        .init(
            vocabularySize: vocabulary.size, width: 16, feedForwardWidth: 24, depth: 2, heads: 2, longestSequence: 32),
        Weights(.fresh(seed: 1)))

    private func generate(
        _ prompts: [ChameleonPrompt], guidance: Float = 1, topK: Int = 6, topP: Float = 1, seeds: [UInt64]
    ) -> [[Int32]] {
        model.generate(
            prompts, heading: heading, grid: grid, vocabulary: vocabulary,
            sampling: CodeSampling(guidance: guidance, topK: topK, topP: topP, temperature: 1, seeds: seeds))
    }

    @Test func aSquarePictureLiesInTheSequenceAsLuminaMGPTHasIt() {
        // Chameleon's own numbers, with Lumina-mGPT's use of its reserved ids.
        let lumina = ChameleonVocabulary(
            size: 65_536, firstCode: 4, codes: 8192, start: 0, separator: 8710, beginImage: 8197, endImage: 8196,
            newLine: 8803, firstSize: 8804, sizeUnit: 32)
        let grid = PictureGrid(height: 48, width: 64)
        #expect(lumina.heading(grid, patchSize: 16) == [8197, 8804 + 24, 8804 + 32])
        #expect(
            lumina.rows([0, 1, 2, 3, 4, 8191], PictureGrid(height: 2, width: 3)) == [
                4, 5, 6, 8803, 7, 8, 8195, 8803, 8196,
            ])
        #expect(lumina.opened([9, 9]) == [0, 9, 9, 8710])
    }

    @Test func asSequenceAsksForThePictureAlone() {
        let sequence = ChameleonSequence(before: [1, 2, 3], picture: [7, 8])
        #expect(sequence.labels == [-1, -1, 7, 8, -1] && sequence.asked == 2..<4)
        let batch = ChameleonBatch([sequence, ChameleonSequence(before: [1], picture: [7, 8])])
        #expect(batch.ids == [1, 2, 3, 7, 8, 1, 7, 8, 0, 0] && batch.labels == [-1, -1, 7, 8, -1, 7, 8, -1, -1, -1])
    }

    /// Greedy codes without guidance are each the likeliest code after the whole sequence so far, row ends included.
    @Test func greedyCodesAreTheTeacherForcedOnes() {
        let prompt = prompt([3, 4])
        let codes = generate([prompt], topK: 1, seeds: [0])[0]
        let rows = vocabulary.rows(codes, grid)
        let logits = model.logits(prompt.ids + rows, batch: 1).value
        for (index, id) in rows.enumerated() where vocabulary.codeIDs.contains(Int(id)) {
            let row = logits.pointer + (prompt.ids.count + index - 1) * logits.width
            let best = vocabulary.codeIDs.max { row[$0] < row[$1] }!
            #expect(Int(id) == best)
        }
    }

    @Test func aPictureDependsOnItsOwnSeedAndPromptOnly() {
        let together = generate([prompt([3, 4]), prompt([5, 6, 7, 8])], guidance: 3, seeds: [1, 2])
        #expect(together[1] == generate([prompt([5, 6, 7, 8])], guidance: 3, seeds: [2])[0])
        let many = (0..<8).map { generate([prompt([3, 4])], seeds: [$0])[0] }
        #expect(Set(many).count > 4)
        #expect(many.joined().allSatisfy { (0..<6).contains($0) })
    }

    /// They are what they are where each has its prompt for itself.
    @Test func picturesOfOnePromptReadItOnce() {
        func drawn(_ prompts: [ChameleonPrompt], at places: [Int]? = nil) -> (codes: [[Int32]], operations: Double) {
            let profile = OperationProfile()
            let codes = OperationProfile.$current.withValue(profile) {
                model.generate(
                    prompts, at: places, heading: heading, grid: grid, vocabulary: vocabulary,
                    sampling: CodeSampling(guidance: 3, topK: 6, temperature: 1, seeds: [1, 2, 3]))
            }
            return (codes, profile.operations)
        }
        let (first, second) = (prompt([3, 4]), prompt([5, 6, 7, 8]))
        let (once, each) = (drawn([first, second], at: [0, 1, 0]), drawn([first, second, first]))
        #expect(once.codes == each.codes && once.operations < each.operations)
    }

    /// With guidance g the codes follow uncond + g · (cond − uncond): at 0 the prompt has no say.
    @Test func guidanceZeroForgetsThePrompt() {
        #expect(
            generate([prompt([3, 4])], guidance: 0, seeds: [1]) == generate([prompt([7])], guidance: 0, seeds: [1]))
    }

    /// The codes that a picture may begin with, the likeliest first, with their logits.
    private func firstCodes(_ prompt: ChameleonPrompt) -> [(code: Int32, logit: Float)] {
        let logits = model.logits(prompt.ids, batch: 1).value
        let row = logits.pointer + (prompt.ids.count - 1) * logits.width
        return vocabulary.codeIDs.map { (code: Int32($0) - vocabulary.firstCode, logit: row[$0]) }
            .sorted { $0.logit > $1.logit }
    }

    @Test func topKNeverChoosesAnUnlikelierCode() {
        let prompt = prompt([3, 4])
        let firsts = Set((0..<40).map { generate([prompt], topK: 2, seeds: [$0])[0][0] })
        #expect(firsts == Set(firstCodes(prompt).prefix(2).map { $0.code }))
    }

    /// Of what top-k leaves: the likeliest as long as those before them have no more than top-p together.
    @Test func topPChoosesFromTheLikeliestOfTopK() {
        let prompt = prompt([3, 4])
        let weights = firstCodes(prompt).map { (code: $0.code, weight: exp($0.logit)) }
        for (topK, count) in [(6, 3), (4, 3), (3, 2)] {
            let all = weights.prefix(topK).reduce(0) { $0 + $1.weight }
            let kept = weights.prefix(count)
            // Half of the last one's weight is more than top-p.
            let topP = (kept.reduce(0) { $0 + $1.weight } - kept.last!.weight / 2) / all
            let firsts = Set((0..<40).map { generate([prompt], topK: topK, topP: topP, seeds: [$0])[0][0] })
            #expect(firsts == Set(kept.map { $0.code }), "top-k \(topK), top-p \(topP)")
        }
    }
}
