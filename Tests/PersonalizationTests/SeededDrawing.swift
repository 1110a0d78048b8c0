import Images
import Personalization

extension PersonalizedModel {
    /// One picture per prompt and seed.
    func generate(_ prompts: [String], seeds: [UInt64]) -> [Picture] {
        generate(prompts, sampling: sampling(seeds: seeds))
    }
}
