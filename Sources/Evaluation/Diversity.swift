import Backbones
import Images
import Tensors

/// Do pictures of one prompt differ from each other, or has the model learned one picture by heart? (DreamBooth, arXiv
/// 2208.12242, section 4.3.)
extension Score {
    /// DIV: the mean LPIPS distance over pairs of different pictures generated from the same prompt, then over prompts.
    /// Higher is more diverse.
    /// - Parameter pictures: for every prompt its pictures, two or more, of one size and at least `LPIPS.smallestSide`
    ///   pixels a side.
    package static func div(pictures: [[Picture]], by lpips: LPIPS) -> Score {
        let means = pictures.map { group -> (sum: Double, pairs: Int) in
            // Every picture is looked at once, not once a pair.
            let features = group.map { lpips.features(Tensor.pictures([$0])) }
            let pairs = pairs(group.count)
            return (pairs.reduce(0) { $0 + Double(lpips.distance(features[$1.0], features[$1.1])) }, pairs.count)
        }
        return overPrompts(.div, by: "LPIPS", means)
    }

    /// DIV's stand-in where LPIPS has no weights: the mean of 1 − cos over the same pairs, of DINO's embeddings.
    /// - Parameter pictures: for every prompt the embeddings of its pictures, two or more.
    package static func divDINO(pictures: [Embeddings]) -> Score {
        let means = pictures.map { group -> (sum: Double, pairs: Int) in
            let pairs = pairs(group.count).count
            return ((1 - group.meanCosineAmong()) * Double(pairs), pairs)
        }
        return overPrompts(.divDINO, by: pictures[0].encoder, means)
    }

    private static func pairs(_ count: Int) -> [(Int, Int)] {
        precondition(count > 1, "diversity needs two pictures of a prompt")
        return (0..<count).flatMap { first in (first + 1..<count).map { (first, $0) } }
    }

    private static func overPrompts(
        _ metric: Metric, by encoder: String, _ groups: [(sum: Double, pairs: Int)]
    ) -> Score {
        let value = groups.reduce(0) { $0 + $1.sum / Double($1.pairs) } / Double(groups.count)
        return Score(metric, by: encoder, value: value, comparisons: groups.reduce(0) { $0 + $1.pairs })
    }
}
