import Evaluation
import Personalization

/// Proxy-Tuning's tables (arXiv 2503.10125).
extension PaperTable {
    /// Tables 1 to 4 and 7: students beside their supervisor, what they learn without one, and a diffusion model as
    /// the student of another. Published are SD3's rows.
    static let proxy = PaperTable(
        name: "proxy",
        title:
            """
            Proxy-Tuning, tables 1 to 4 and 7 (arXiv 2503.10125; its figures are of SD3 as supervisor, Lumina-mGPT 7B \
            and LlamaGen-XL on nine subjects of DreamBench)
            """,
        rows: [
            Row(variant: .references, published: [:]),
            Row(variant: .world, published: [:]),
            Row(variant: .supervisor, published: [.clipI: 0.7822, .clipT: 0.3247, .dino: 0.7069]),
            Row(variant: .supervisorEverywhere, published: [:]),
            Row(variant: .proxiesToChameleon, published: [.clipI: 0.7977, .clipT: 0.3167, .dino: 0.7551]),
            Row(variant: .filteredToChameleon, published: [:]),
            Row(variant: .everywhereToChameleon, published: [:]),
            Row(variant: .loraOnChameleon, published: [.clipI: 0.6752, .clipT: 0.2956, .dino: 0.5088]),
            Row(
                variant: .baseline(.dreamBooth, on: .chameleon),
                published: [.clipI: 0.6974, .clipT: 0.2652, .dino: 0.5338]),
            Row(variant: .augmentedChameleon, published: [:]),
            Row(variant: .proxiesToLlamaGen, published: [.clipI: 0.8105, .clipT: 0.2839, .dino: 0.7381]),
            Row(variant: .loraOnLlamaGen, published: [:]),
            Row(variant: .baseline(.dreamBooth, on: .llamagen), published: [:]),
            Row(variant: .augmentedLlamaGen, published: [:]),
            Row(variant: .proxiesToInfinity, published: [:]),
            Row(variant: .loraOnInfinity, published: [:]),
            Row(variant: .baseline(.dreamBooth, on: .infinity), published: [:]),
            Row(variant: .proxiesToDiffusion, published: [.clipI: 0.7596, .clipT: 0.3248, .dino: 0.6569]),
            Row(variant: .loraOnDiffusion, published: [:]),
            Row(variant: .loraOnDiffusionEverywhere, published: [:]),
            Row(variant: .untunedChameleon, published: [:]),
            Row(variant: .untunedLlamaGen, published: [:]),
            Row(variant: .untunedInfinity, published: [:]),
            Row(variant: .untunedDiffusion, published: [:]),
        ],
        claims: weakToStrong + beyondReferences + diffusionStudent + overfitting + filtering + onWords)

    /// Those that draw tokens, with what they learn from proxies beside.
    private static let studentModels = [TableVariant.Embedded.chameleon, .llamagen, .infinity]
    private static let students = [TableVariant.proxiesToChameleon, .proxiesToLlamaGen, .proxiesToInfinity]

    private static let weakToStrong = students.flatMap { student in
        [Score.Metric.dino, .clipI].map {
            Claim(statement: "the student is beyond its supervisor", metric: $0, greater: student, lesser: .supervisor)
        }
    }

    private static let beyondReferences =
        beyond("LoRA DreamBooth", [.loraOnChameleon, .loraOnLlamaGen, .loraOnInfinity])
        + beyond("DreamBooth end to end", studentModels.map { TableVariant.baseline(.dreamBooth, on: $0) })

    /// - Parameter direct: what the students learn of the references themselves.
    private static func beyond(_ method: String, _ direct: [TableVariant]) -> [Claim] {
        zip(students, direct).map {
            Claim(statement: "proxies teach more than \(method) does", metric: .dino, greater: $0, lesser: $1)
        }
    }

    private static let diffusionStudent = [Score.Metric.dino, .clipI].map {
        Claim(
            statement: "a diffusion model falls behind its own supervisor", metric: $0, greater: .supervisor,
            lesser: .proxiesToDiffusion)
    }

    private static let overfitting = [
        (TableVariant.proxiesToChameleon, TableVariant.augmentedChameleon), (.proxiesToLlamaGen, .augmentedLlamaGen),
    ].map { proxies, augmented in
        Claim(statement: "augmented references overfit", metric: .clipT, greater: proxies, lesser: augmented)
    }

    /// *Ours*. What DINO chooses has more DINO whether or not the subject is better met: CLIP-I chose nothing.
    private static let filtering = [Score.Metric.dino, .clipI].map {
        Claim(
            statement: "dropping failures helps subject fidelity", metric: $0, greater: .filteredToChameleon,
            lesser: .proxiesToChameleon)
    }

    /// *Ours*: what `acts_on` is worth where it is the model's own.
    private static let onWords = [
        (TableVariant.supervisor, TableVariant.supervisorEverywhere), (.loraOnDiffusion, .loraOnDiffusionEverywhere),
        (.proxiesToChameleon, .everywhereToChameleon),
    ].map { own, everywhere in
        Claim(
            statement: "changes on the subject's words alone help subject fidelity", metric: .dino, greater: own,
            lesser: everywhere)
    }

    /// Table 5: four subjects apart and together, and how far they are mixed; then two of them in one prompt. Published
    /// are SD3's supervisors and the LlamaGen that learns from them.
    static let proxySeveral = PaperTable(
        name: "proxy-several",
        title:
            """
            Proxy-Tuning, table 5 (arXiv 2503.10125): four subjects apart and together, and two of them in one prompt
            """,
        rows: several + two, claims: beyondSupervisors + [mixed] + keptApart, asksForOthers: true)

    private static let several = [
        Row(variant: .world, published: [:]),
        Row(variant: .supervisor, published: [.clipI: 0.7501, .dino: 0.6965]),
        Row(variant: .proxiesToLlamaGen, published: [:]),
        Row(variant: .together(.llamagen), published: [.clipI: 0.7773, .dino: 0.7335]),
        Row(variant: .proxiesToChameleon, published: [:]),
        Row(variant: .together(.chameleon), published: [:]),
        Row(variant: .proxiesToInfinity, published: [:]),
        Row(variant: .together(.infinity), published: [:]),
        Row(variant: .proxiesToDiffusion, published: [:]),
        Row(variant: .together(.diffusion), published: [:]),
    ]

    /// What two in a prompt come from: one adapter of both; one of each, active on its own words alone, as in FreeLoRA
    /// (arXiv 2507.01792); the same merged.
    private static let two: [Row] =
        [Row(variant: .worldOfTwo, published: [:])]
        + [TableVariant.Embedded.llamagen, .chameleon, .infinity, .diffusion].flatMap { model in
            [TableVariant.twoOfFour(model), .two(.byToken, model), .two(.merged, model)].map {
                Row(variant: $0, published: [:])
            }
        }

    private static let beyondSupervisors = studentModels.map { model in
        Claim(
            statement: "one student of four subjects is beyond their supervisors", metric: .dino,
            greater: .together(model), lesser: .supervisor)
    }

    /// Beside itself: how much another subject's references look like any picture differs from model to model.
    private static let mixed = Claim(
        statement: "a diffusion model mixes what it learns together", metric: .otherDINO,
        greater: .together(.diffusion), lesser: .proxiesToDiffusion)

    /// FreeLoRA's, of adapters that were not trained for it.
    private static let keptApart = studentModels.flatMap { model -> [Claim] in
        let (byToken, merged) = (TableVariant.two(.byToken, model), TableVariant.two(.merged, model))
        return [
            Claim(
                statement: "adapters meet subjects better by their own words alone", metric: .dino,
                greater: byToken, lesser: merged),
            Claim(statement: "merged adapters mix subjects", metric: .otherDINO, greater: merged, lesser: byToken),
        ]
    }

    /// Figures over the number of proxies and over the rank of the student's changes: published, both matter little.
    static let proxyCurves = PaperTable(
        name: "proxy-curves", title: "Proxy-Tuning by number of proxies and by rank (arXiv 2503.10125)",
        rows: measured.map { Row(variant: $0.variant, published: [:]) },
        claims: [TableVariant.proxies(10), TableVariant.rank(4)].map {
            Claim(
                statement: "more are worth more", metric: .dino, greater: .proxiesToChameleon, lesser: $0)
        }, curves: [proxies, ranks])

    /// The points of both, of which the rule is one.
    private static let measured =
        proxies.points + ranks.points.filter { $0.variant.key != TableVariant.proxiesToChameleon.key }
    private static let proxies = Curve(
        name: "curve-proxies", title: "Proxy-Tuning, Chameleon: scores by number of proxies",
        points: [10, 50, 100, 200, 500].map { (x: $0, variant: TableVariant.proxies($0)) })
    private static let ranks = Curve(
        name: "curve-rank", title: "Proxy-Tuning, Chameleon: scores by rank",
        points: [4, 8, 16, 32, 64].map { (x: $0, variant: TableVariant.rank($0)) })
}
