import Jobs

extension RecognizedRelease {
    /// What learning on the model is done with where a job says nothing else, by methods, as
    /// ``ModelDescription/training`` has it; nil of what does not learn. The tables' values are the pocket models', at
    /// which a model hundreds of times as large forgets what it knew.
    ///
    /// ARBooth's rate is its public code's: 6e-3 for 256 pictures a step, on one of which it reckons
    /// (jiwoogit/ARBooth, `infinity/utils/arg_util.py`). Those of students and supervisors are Proxy-Tuning's
    /// (arXiv 2503.10125, section 4.1); Infinity's and FLUX's by AdamW are *ours*.
    var training: JSONValue? {
        switch family {
        case .infinity: Self.learning(1e-4, ["arbooth": ["learning_rate": .number(6e-3 / 256)]])
        case .chameleon: Self.learning(2e-5)
        case .llamagen: Self.learning(1e-4)
        case .diffusion:
            switch configuration["pipeline"]?.string.flatMap(PipelineKind.init(rawValue:)) {
            case .sdxl: Self.teaching(1e-4)
            case .sd3: Self.teaching(4e-4)
            case .flux: Self.teaching(1e-4, ["supervisor_optimizer": "prodigy"])
            case nil: nil
            }
        case .clip, .dino, .classifier, .lpips: nil
        }
    }

    /// Low-rank changes at a rate, taught by references or by proxies.
    private static func learning(_ rate: Double, _ others: [String: JSONValue] = [:]) -> JSONValue {
        let options: JSONValue = ["learning_rate": .number(rate)]
        return .object(["lora": options, "proxy-tuning": options].merging(others) { $1 })
    }

    /// The same of a model that can be a supervisor too.
    private static func teaching(_ rate: Double, _ options: [String: JSONValue] = [:]) -> JSONValue {
        learning(
            rate, ["supervisor": .object(options.merging(["supervisor_learning_rate": .number(rate)]) { $1 })])
    }
}
