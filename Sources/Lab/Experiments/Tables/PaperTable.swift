import Evaluation

/// A table of a paper: its rows with the published figures, and what the paper concludes from them.
struct PaperTable {
    struct Row {
        let variant: TableVariant
        /// The paper's figures; empty where it has no such row.
        let published: [Score.Metric: Double]
    }

    /// Somebody's conclusion that one row has more of a metric than another.
    struct Claim {
        let statement: String
        let metric: Score.Metric
        let greater, lesser: TableVariant
    }

    /// What rows score over a number that they differ in.
    struct Curve {
        /// Of its file.
        let name: String
        let title: String
        let points: [(x: Int, variant: TableVariant)]
    }

    let name: String
    let title: String
    let rows: [Row]
    let claims: [Claim]
    /// Whether pictures of a subject are held against the references of others, too.
    var asksForOthers = false
    var curves: [Curve] = []

    static let all = [arbooth, coar, methods, proxy, proxyCurves, proxySeveral]
}

extension PaperTable {
    /// ARBooth (arXiv 2504.02612), table 3: five living subjects.
    static let arbooth = PaperTable(
        name: "arbooth",
        title: "ARBooth, table 3 (arXiv 2504.02612; its figures are of Infinity-2B on five living subjects)",
        rows: [
            Row(variant: .arbooth, published: [.dino: 0.786, .clipI: 0.853, .clipT: 0.267, .pres: 0.709, .div: 0.272]),
            Row(
                variant: .fullTuning,
                published: [.dino: 0.796, .clipI: 0.850, .clipT: 0.267, .pres: 0.776, .div: 0.254]),
            Row(
                variant: .unweighted,
                published: [.dino: 0.774, .clipI: 0.840, .clipT: 0.271, .pres: 0.792, .div: 0.285]),
            Row(
                variant: .undistilled,
                published: [.dino: 0.823, .clipI: 0.896, .clipT: 0.236, .pres: 0.839, .div: 0.209]),
        ],
        claims: [
            Claim(statement: "full tuning drifts more", metric: .pres, greater: .fullTuning, lesser: .arbooth),
            Claim(
                statement: "full tuning draws less diverse pictures", metric: .div, greater: .arbooth,
                lesser: .fullTuning),
            Claim(
                statement: "scale weighting helps subject fidelity", metric: .dino, greater: .arbooth,
                lesser: .unweighted),
            Claim(
                statement: "scale weighting helps subject fidelity", metric: .clipI, greater: .arbooth,
                lesser: .unweighted),
            Claim(statement: "scale weighting lessens drift", metric: .pres, greater: .unweighted, lesser: .arbooth),
            Claim(
                statement: "without distillation the subject is overfitted", metric: .dino, greater: .undistilled,
                lesser: .arbooth),
            Claim(
                statement: "distillation keeps prompts followed", metric: .clipT, greater: .arbooth,
                lesser: .undistilled),
            Claim(statement: "distillation lessens drift", metric: .pres, greater: .undistilled, lesser: .arbooth),
            Claim(
                statement: "distillation keeps pictures diverse", metric: .div, greater: .arbooth,
                lesser: .undistilled),
        ])

    /// CoAR (arXiv 2508.07341), table 3: DreamBench.
    static let coar = PaperTable(
        name: "coar", title: "CoAR, table 3 (arXiv 2508.07341; its figures are of Lumina-mGPT 7B on DreamBench)",
        rows: [
            Row(variant: .contextAlone, published: [.dino: 0.6610, .clipI: 0.7647, .clipT: 0.3096]),
            Row(variant: .contextAndPrior, published: [.dino: 0.6902, .clipI: 0.7919, .clipT: 0.2968]),
            Row(variant: .coar, published: [.dino: 0.7226, .clipI: 0.8151, .clipT: 0.3184]),
        ],
        claims: [
            Claim(
                statement: "prior preservation helps subject fidelity", metric: .dino, greater: .contextAndPrior,
                lesser: .contextAlone),
            Claim(
                statement: "prior preservation helps subject fidelity", metric: .clipI, greater: .contextAndPrior,
                lesser: .contextAlone),
            Claim(
                statement: "self-regularization helps subject fidelity", metric: .dino, greater: .coar,
                lesser: .contextAndPrior),
            Claim(
                statement: "self-regularization helps subject fidelity", metric: .clipI, greater: .coar,
                lesser: .contextAndPrior),
            Claim(
                statement: "self-regularization helps prompts being followed", metric: .clipT, greater: .coar,
                lesser: .contextAndPrior),
        ])

    /// Methods beside each other. DreamBooth's figures with and without prior preservation are those of Imagen (arXiv
    /// 2208.12242, table 3), its real pictures' those of table 1; ARBooth's are of ViCo's 16 subjects, CoAR's of
    /// DreamBench, as are those of textual inversion (of Stable Diffusion) and of PersonalAR by LoRA, which its authors
    /// have beside theirs (github.com/KZF-kzf/CoAR).
    static let methods = PaperTable(
        name: "methods",
        title:
            """
            methods (published: ARBooth on ViCo's subjects, CoAR, PersonalAR and textual inversion on DreamBench, \
            DreamBooth with Imagen for LoRA's rows)
            """,
        rows: [
            Row(variant: .references, published: [.dino: 0.774, .clipI: 0.885]),
            Row(variant: .world, published: [:]),
            Row(variant: .arbooth, published: [.dino: 0.705, .clipI: 0.824, .clipT: 0.253]),
            Row(
                variant: .loraOnInfinity,
                published: [.dino: 0.684, .clipI: 0.815, .clipT: 0.308, .pres: 0.493, .div: 0.391]),
            Row(
                variant: .loraOnInfinityUnpreserved,
                published: [.dino: 0.712, .clipI: 0.828, .clipT: 0.306, .pres: 0.664, .div: 0.371]),
            Row(variant: .baseline(.dreamBooth, on: .infinity), published: [:]),
            Row(variant: .baseline(.textualInversion, on: .infinity), published: [:]),
            Row(variant: .baseline(.personalAR, on: .infinity), published: [:]),
            Row(variant: .untunedInfinity, published: [:]),
            Row(variant: .coar, published: [.dino: 0.7226, .clipI: 0.8151, .clipT: 0.3184]),
            Row(variant: .loraOnChameleon, published: [:]),
            Row(variant: .loraOnChameleonUnpreserved, published: [:]),
            Row(variant: .baseline(.dreamBooth, on: .chameleon), published: [:]),
            Row(
                variant: .baseline(.textualInversion, on: .chameleon),
                published: [.dino: 0.569, .clipI: 0.780, .clipT: 0.255]),
            Row(
                variant: .baseline(.personalAR, on: .chameleon),
                published: [.dino: 0.657, .clipI: 0.778, .clipT: 0.312]),
            Row(variant: .untunedChameleon, published: [:]),
        ],
        claims: [
            Claim(statement: "ARBooth learns the subject", metric: .dino, greater: .arbooth, lesser: .untunedInfinity),
            Claim(statement: "CoAR learns the subject", metric: .dino, greater: .coar, lesser: .untunedChameleon),
            Claim(
                statement: "LoRA learns the subject", metric: .dino, greater: .loraOnInfinity,
                lesser: .untunedInfinity),
            Claim(
                statement: "LoRA learns the subject", metric: .dino, greater: .loraOnChameleon,
                lesser: .untunedChameleon),
            learns(.dreamBooth, .infinity, .untunedInfinity), learns(.dreamBooth, .chameleon, .untunedChameleon),
            learns(.textualInversion, .infinity, .untunedInfinity),
            learns(.textualInversion, .chameleon, .untunedChameleon),
            learns(.personalAR, .infinity, .untunedInfinity), learns(.personalAR, .chameleon, .untunedChameleon),
            Claim(
                statement: "ARBooth meets subjects better than textual inversion", metric: .dino, greater: .arbooth,
                lesser: .baseline(.textualInversion, on: .infinity)),
            Claim(
                statement: "ARBooth meets subjects better than PersonalAR", metric: .dino, greater: .arbooth,
                lesser: .baseline(.personalAR, on: .infinity)),
            Claim(
                statement: "CoAR meets subjects better than textual inversion", metric: .dino, greater: .coar,
                lesser: .baseline(.textualInversion, on: .chameleon)),
            Claim(
                statement: "CoAR meets subjects better than PersonalAR", metric: .dino, greater: .coar,
                lesser: .baseline(.personalAR, on: .chameleon)),
            Claim(
                statement: "LoRA's prior preservation costs subject fidelity", metric: .dino,
                greater: .loraOnInfinityUnpreserved, lesser: .loraOnInfinity),
            Claim(
                statement: "LoRA's prior preservation costs subject fidelity", metric: .dino,
                greater: .loraOnChameleonUnpreserved, lesser: .loraOnChameleon),
            Claim(
                statement: "LoRA's prior preservation lessens drift", metric: .pres,
                greater: .loraOnInfinityUnpreserved, lesser: .loraOnInfinity),
            Claim(
                statement: "LoRA's prior preservation keeps pictures diverse", metric: .div, greater: .loraOnInfinity,
                lesser: .loraOnInfinityUnpreserved),
            Claim(
                statement: "LoRA's prior preservation lessens drift", metric: .pres,
                greater: .loraOnChameleonUnpreserved, lesser: .loraOnChameleon),
            Claim(
                statement: "LoRA's prior preservation keeps pictures diverse", metric: .div, greater: .loraOnChameleon,
                lesser: .loraOnChameleonUnpreserved),
        ])

    /// Whether what the papers compare with does something at all.
    private static func learns(
        _ baseline: Baseline, _ model: TableVariant.Embedded, _ untuned: TableVariant
    ) -> Claim {
        Claim(
            statement: "\(baseline.title) learns the subject", metric: .dino, greater: .baseline(baseline, on: model),
            lesser: untuned)
    }
}
