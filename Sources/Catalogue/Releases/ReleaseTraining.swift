import Jobs

extension RecognizedRelease {
    /// What learning on the model is done with where a job says nothing else, by methods, as
    /// ``ModelDescription/training`` has it; nil of what does not learn. The tables' values are the pocket models', at
    /// which a model hundreds of times as large forgets what it knew.
    ///
    /// ARBooth's rate is its public code's: 6e-3 for 256 pictures a step, on one of which it reckons
    /// (jiwoogit/ARBooth, `infinity/utils/arg_util.py`). Rates, batches and steps of students and supervisors are
    /// Proxy-Tuning's (arXiv 2503.10125, section 4.1), for at its rates fewer steps teach little; Infinity's rate, and
    /// FLUX's by AdamW, are *ours*.
    var training: JSONValue? {
        switch family {
        case .infinity:
            Self.learning(["learning_rate": 1e-4], beside: ["arbooth": ["learning_rate": .number(6e-3 / 256)]])
        case .chameleon: Self.learning(["learning_rate": 2e-5, "batch": 4, "iterations": 2500])
        case .llamagen: Self.learning(["learning_rate": 1e-4, "batch": 8, "iterations": 1250])
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

    /// Low-rank changes, taught by references or by proxies.
    private static func learning(_ options: JSONValue, beside others: [String: JSONValue] = [:]) -> JSONValue {
        .object(["lora": options, "proxy-tuning": options].merging(others) { $1 })
    }

    /// The same of a model that can be a supervisor too, at a rate.
    private static func teaching(_ rate: Double, _ options: [String: JSONValue] = [:]) -> JSONValue {
        let supervisor: [String: JSONValue] = [
            "supervisor_learning_rate": .number(rate), "supervisor_batch": 4, "supervisor_iterations": 500,
        ]
        return learning(
            ["learning_rate": .number(rate), "batch": 4, "iterations": 500],
            beside: ["supervisor": .object(supervisor.merging(options) { $1 })])
    }
}
