/// Proxy-Tuning (arXiv 2503.10125): a diffusion model learns a subject from its few references and draws many pictures
/// of it, and an autoregressive one learns from those.
package struct ProxyTuningOptions: Sendable {
    /// The supervisor's stage.
    package var supervisor = ProxyTuningOptions.teaching
    /// The student's.
    package var student = PairTraining.Options(iterations: 400, batch: 4, learningRate: 1e-3, rank: 16, alpha: 32)
    /// Proxies of each subject, once some are dropped.
    package var proxies = 200
    /// Places that every other proxy is drawn in, in turn.
    package var contexts: [String] = []
    /// The share of drawn proxies that is dropped.
    package var dropped = 0.0
    /// Pictures of the class that the supervisor must still draw; 0 without prior preservation.
    package var priorPictures = 32

    package init() {}

    /// Few references are learnt enlarged a little, beside pictures of their class.
    private static var teaching: PairTraining.Options {
        var options = PairTraining.Options(iterations: 300, batch: 4, learningRate: 1e-3, rank: 16, alpha: 32)
        (options.priorWeight, options.largestZoom) = (0.5, 1.15)
        return options
    }

    /// Proxies that are drawn so that enough are left.
    package var drawn: Int {
        // Of 0.8 the quotient is a little more than the whole number that is meant.
        let needed = Double(proxies) / (1 - dropped)
        return Int(((needed * 1e9).rounded() / 1e9).rounded(.up))
    }

    /// What a proxy is drawn from: a rex dog, or a rex dog in a place.
    package func prompt(_ index: Int, of concept: Concept) -> String {
        let plain = concept.plainPrompt
        guard !contexts.isEmpty, index % 2 == 1 else { return plain }
        return "\(plain) \(contexts[index / 2 % contexts.count])"
    }
}

extension Concept {
    /// Its references under its plain prompt.
    package var pairs: [PicturePair] {
        zip(references, origins).map { PicturePair(prompt: plainPrompt, picture: $0, origin: $1) }
    }
}
