/// The options of one method: what is checked at the door, read by the engine and shown to people, described once.
package struct OptionTable: Sendable, Equatable {
    /// Every option there is.
    package let rows: [JobOption]

    /// Nothing is left open.
    package static let none = OptionTable(rows: [])

    /// What holds of an option where nobody gives it; nil where that follows from the model.
    package func standard(_ name: String) -> JSONValue? {
        rows.first { $0.name == name }.flatMap { $0.standard == .null ? nil : $0.standard }
    }

    /// Everything wrong with a job's `options`, in the order of their names; nothing given is nothing wrong.
    package func problems(in options: JSONValue?) -> [Problem] {
        guard let options else { return [] }
        guard case .object(let members) = options else {
            return [Problem("/options", found: options.brief, allowed: "an object")]
        }
        return members.sorted { $0.key < $1.key }.compactMap { problem(of: $0, $1) }
    }

    /// The texts among a job's options, where they are, and whether `{concept}` and `{class}` are filled in them. One
    /// that is not accepted, which may be as long as a message, is not looked into.
    func texts(in options: [String: JSONValue]) -> [(pointer: String, text: String, isTemplate: Bool)] {
        rows.flatMap { row -> [(String, String, Bool)] in
            guard let value = options[row.name], row.accepts(value) else { return [] }
            let pointer = "/options/\(row.name)"
            switch (row.values, value) {
            case (.text(_, let word), .string(let text)): return [(pointer, text, !word.isEmpty)]
            case (.texts, .array(let list)):
                return list.enumerated().compactMap { index, text in
                    text.string.map { ("\(pointer)/\(index)", $0, false) }
                }
            default: return []
            }
        }
    }

    /// How many of a job's `options` it does not know.
    func strangers(in options: JSONValue?) -> Int {
        guard case .object(let members)? = options else { return 0 }
        return members.keys.count { name in !rows.contains { $0.name == name } }
    }

    private func problem(of name: String, _ value: JSONValue) -> Problem? {
        let pointer = "/options/" + Problem.escaped(name)
        guard let option = rows.first(where: { $0.name == name }) else {
            return Problem(
                pointer, found: Self.owners[name].map { "an option of \($0)" } ?? "an unknown option",
                allowed: rows.map(\.name).sorted().joined(separator: ", "))
        }
        return option.accepts(value) ? nil : Problem(pointer, found: value.brief, allowed: option.allowed)
    }

    /// What has options of a name, in words: methods, drawing on families, evaluation.
    private static let owners: [String: String] = {
        var owners: [String: [String]] = [:]
        func add(_ owner: String, _ tables: [OptionTable]) {
            for name in Set(tables.flatMap(\.rows).map(\.name)) { owners[name, default: []].append(owner) }
        }
        for method in PersonalizationMethod.allCases {
            add(method.rawValue, method.roles.map { method.options(for: $0) })
        }
        for family in ModelFamily.drawing { add(JobSchema.drawing(on: family), [family.drawing!]) }
        add(JobKind.evaluate.rawValue, [.evaluation])
        return owners.mapValues { $0.joined(separator: ", ") }
    }()
}

extension OptionTable {
    /// The tables have the pocket models' rates, batches and steps.
    private static let releasedRate = "AdamW's; released models have a smaller one of their own (models show)"
    private static let releasedMore = "; most released models have more of their own (models show)"
    /// Of Proxy-Tuning's supervisor and student alike.
    private static let ofBothStages = " of both stages' rule, AdamW or Prodigy"

    private static func moments(_ remark: String = "") -> JobOption {
        JobOption(
            "moments", .choice(["32-bit", "8-bit"]), standard: .string("32-bit"),
            "how AdamW keeps its two moments of every number; in 8 bits they take a quarter of the memory" + remark)
    }

    private static func actsOn(_ whose: String, _ remark: String = "") -> JobOption {
        JobOption(
            "acts_on", .choice(["all", "prompt"]), standard: .string("all"),
            """
            the tokens that \(whose) act on, in learning and ever after: all, or in the prompt the concept's words \
            alone, so that concepts of several jobs act each on its own\(remark)
            """)
    }

    /// ARBooth's, with the paper's values where it gives them (arXiv 2504.02612, sections 4 and 5.1); the learning rate
    /// is the pocket models', for the paper's was chosen for a model 250 times as large.
    package static let arbooth = OptionTable(rows: [
        JobOption("iterations", .integers(1...20_000), standard: .integer(600), "training steps"),
        JobOption(
            "batch", .integers(1...16), standard: .integer(2), "references, and maps of the frozen model, a step"),
        JobOption("learning_rate", .numbers(1e-7...1), standard: .number(5e-4), releasedRate),
        JobOption("beta1", .numbers(0...0.9999), standard: .number(0.9), "AdamW's first decay"),
        JobOption("beta2", .numbers(0...0.99999), standard: .number(0.97), "AdamW's second decay"),
        JobOption("weight_decay", .numbers(0...1), standard: .number(0), "AdamW's"),
        moments(),
        JobOption(
            "tuning", .choice(["cross-attention+feed-forward", "full"]),
            standard: .string("cross-attention+feed-forward"), "which weights learn"),
        JobOption("scale_weighting", .flag, standard: .bool(true), "whether later scales count less"),
        JobOption(
            "early_scales", .integers(0...64), standard: .null,
            "scales that count whole; the paper's share of 8 in 13 unless given"),
        JobOption("late_scale_weight", .numbers(0...10), standard: .number(0.5), "what the other scales count"),
        JobOption(
            "distillation", .flag, standard: .bool(true),
            "whether the class prompt must keep the frozen model's distributions"),
        JobOption("distillation_weight", .numbers(0...100), standard: .number(0.5), "how much that counts"),
        JobOption(
            "distillation_maps", .integers(1...4096), standard: .integer(64), "token maps the frozen model draws for it"
        ),
        JobOption(
            "learns_placeholder", .flag, standard: .bool(true),
            "whether the concept's name learns an embedding of its own"),
        JobOption(
            "largest_zoom", .numbers(1...4), standard: .number(1.15),
            "the largest random enlargement of a reference, as far as its pixels go"),
        JobOption(
            "largest_flip_share", .numbers(0...0.5), standard: .number(0.2),
            "the largest share of bits flipped for self-correction"),
    ])

    /// CoAR's, with the paper's values (arXiv 2508.07341, sections 3 and 4.1): a style takes fewer steps and has
    /// nothing to preserve.
    package static func coar(_ role: ConceptRole) -> OptionTable {
        OptionTable(rows: [
            JobOption(
                "iterations", .integers(1...20_000), standard: .integer(role == .subject ? 1000 : 600), "training steps"
            ),
            JobOption("batch", .integers(1...16), standard: .integer(1), "references a step"),
            JobOption("learning_rate", .numbers(1e-7...1), standard: .number(1e-2), "AdamW's"),
            JobOption("beta1", .numbers(0...0.9999), standard: .number(0.9), "AdamW's first decay"),
            JobOption("beta2", .numbers(0...0.99999), standard: .number(0.999), "AdamW's second decay"),
            JobOption("weight_decay", .numbers(0...1), standard: .number(0), "AdamW's"),
            moments(),
            JobOption(
                "layers", .integers(1...256), standard: .null,
                """
                first layers with context vectors; the paper's share unless given: 9 of 32 for subjects, 3 for styles
                """),
            JobOption(
                "prior_preservation", .flag, standard: .bool(role == .subject),
                "whether pictures of the class must stay what the frozen model says"),
            JobOption(
                "prior_pictures", .integers(1...64), standard: .integer(8), "pictures the frozen model draws for it"),
            JobOption(
                "prior_weight", .numbers(0...100), standard: .number(0.5), "how much the cross-entropy on them counts"),
            JobOption(
                "divergence_weight", .numbers(0...100), standard: .number(0.5),
                "how much the divergence from the frozen model on them counts"),
            JobOption(
                "self_regularization", .flag, standard: .bool(true),
                "whether the image context is held near the references' mean state"),
            JobOption("regularization_weight", .numbers(0...100), standard: .number(5e-4), "how strongly"),
            JobOption(
                "prompt", .text(9...500, containing: "{concept}"), standard: .null,
                """
                what is trained with: {concept} is the concept's place, {class} its class noun\
                \(role == .style ? "; it should also say where that is, which else is learnt as the style's" : "")
                """),
            JobOption(
                "largest_zoom", .numbers(1...4), standard: .number(1.15),
                "the largest random enlargement of a reference, as far as its pixels go"),
        ])
    }

    /// LoRA DreamBooth's (arXiv 2106.09685 and 2208.12242).
    package static let lora = OptionTable(rows: [
        JobOption("iterations", .integers(1...20_000), standard: .integer(400), "training steps" + releasedMore),
        JobOption(
            "batch", .integers(1...16), standard: .integer(2),
            "references, and pictures of the class, a step" + releasedMore),
        JobOption("learning_rate", .numbers(1e-7...1), standard: .number(1e-3), releasedRate),
        JobOption("beta1", .numbers(0...0.9999), standard: .number(0.9), "AdamW's first decay"),
        JobOption("beta2", .numbers(0...0.99999), standard: .number(0.999), "AdamW's second decay"),
        JobOption("weight_decay", .numbers(0...1), standard: .number(0.01), "AdamW's"),
        moments(),
        JobOption("rank", .integers(1...256), standard: .integer(8), "rank of every change"),
        JobOption("alpha", .numbers(0.01...4096), standard: .number(16), "changes count alpha / rank"),
        actsOn("changes", "; nothing else changes then, and no pictures of the class are drawn"),
        JobOption(
            "prior_preservation", .flag, standard: .bool(true),
            "whether the model must still say what it drew of the class before"),
        JobOption("prior_pictures", .integers(1...256), standard: .integer(32), "pictures it draws for that"),
        JobOption("prior_weight", .numbers(0...100), standard: .number(1), "how much they count"),
        JobOption(
            "largest_zoom", .numbers(1...4), standard: .number(1.15),
            "the largest random enlargement of a reference, as far as its pixels go"),
    ])

    /// Proxy-Tuning's (arXiv 2503.10125, sections 3 and 4.1); steps and rates are the pocket models', for the paper's
    /// were chosen for models hundreds of times as large.
    package static let proxyTuning = OptionTable(rows: [
        JobOption(
            "supervisor", .model, standard: .string("pocket-diffusion"),
            "the diffusion model that learns the subject first and draws the proxies"),
        JobOption(
            "proxies", .countOrJob(1...5000), standard: .integer(200),
            "pictures it draws of a subject, or the job whose proxies are used again"),
        JobOption(
            "contexts", .texts(0...64, bytes: 1...200), standard: .array([]),
            "places that half of the proxies are drawn in, in turn: \"on the beach\""),
        JobOption(
            "filter", .numbers(0...0.9), standard: .number(0),
            "the share of drawn proxies that is dropped, those least like the references by DINO"),
        JobOption(
            "supervisor_iterations", .integers(1...20_000), standard: .integer(300),
            "the supervisor's training steps" + releasedMore),
        JobOption("supervisor_batch", .integers(1...64), standard: .integer(4), "its references a step"),
        JobOption(
            "supervisor_optimizer", .choice(["adamw", "prodigy"]), standard: .string("adamw"),
            "its rule; Prodigy finds its own rate, and takes 1 as learning rate"),
        JobOption(
            "supervisor_learning_rate", .numbers(1e-7...10), standard: .null,
            "its rate; the model's own, or 0.001 by AdamW and 1 by Prodigy, unless given"),
        JobOption("supervisor_rank", .integers(1...256), standard: .integer(16), "rank of its changes"),
        JobOption(
            "supervisor_alpha", .numbers(0.01...4096), standard: .null,
            "its changes count supervisor_alpha / supervisor_rank; twice its rank unless given"),
        JobOption(
            "supervisor_acts_on", .choice(["all", "prompt"]), standard: .string("all"),
            """
            the tokens that its changes act on while it learns and draws: all, or in the prompt the subject's words \
            alone; no pictures of the class are drawn then
            """),
        JobOption(
            "prior_preservation", .flag, standard: .bool(true),
            "whether the supervisor must still say what it drew of the class before"),
        JobOption("prior_pictures", .integers(1...256), standard: .integer(32), "pictures it draws for that"),
        JobOption("prior_weight", .numbers(0...100), standard: .number(0.5), "how much they count"),
        JobOption(
            "largest_zoom", .numbers(1...4), standard: .number(1.15),
            "the largest random enlargement of a reference, as far as its pixels go"),
        JobOption(
            "iterations", .integers(1...20_000), standard: .integer(400),
            "the student's training steps: a given number for all subjects, the default for each subject"
                + releasedMore),
        JobOption(
            "batch", .integers(1...16), standard: .integer(4),
            "its proxies a step; LlamaGen as released has 8 (models show)"),
        JobOption(
            "learning_rate", .numbers(1e-7...1), standard: .number(1e-3), "the student's: " + releasedRate),
        JobOption("beta1", .numbers(0...0.9999), standard: .number(0.9), "the first decay\(ofBothStages)"),
        JobOption("beta2", .numbers(0...0.99999), standard: .number(0.999), "the second decay\(ofBothStages)"),
        JobOption("weight_decay", .numbers(0...1), standard: .number(0.01), "that\(ofBothStages)"),
        moments(" in both stages; 8 bits are refused with a supervisor that learns by Prodigy"),
        JobOption("rank", .integers(1...256), standard: .integer(16), "rank of the student's changes"),
        JobOption(
            "alpha", .numbers(0.01...4096), standard: .null,
            "the student's changes count alpha / rank; twice the rank unless given"),
        actsOn("the student's changes"),
    ])

    /// Those of Proxy-Tuning that its student learns by; by the others proxies are drawn.
    static let student: Set<String> = [
        "iterations", "batch", "learning_rate", "beta1", "beta2", "weight_decay", "moments", "rank", "alpha",
        "acts_on",
    ]

    /// How concepts of several jobs act together where each brings low-rank changes.
    private static let joining = JobOption(
        "adapters", .choice(["merged", "by-token"]), standard: .string("merged"),
        "how low-rank changes of several concepts act: all added to the weights, or each on its own words alone")

    /// Those of drawing pictures scale by scale.
    package static let nextScaleDrawing = OptionTable(rows: [
        JobOption(
            "guidance", .numbersByScale(0...30), standard: .null,
            "how strongly the prompt is followed; the model's own unless given"),
        JobOption(
            "temperature", .numbersByScale(0.01...10), standard: .null,
            "how freely bits are drawn; the model's own unless given"),
        JobOption(
            "top_k", .integers(1...65_536), standard: .null,
            "of a bit's two values, how many may be drawn: 1 leaves the likelier alone, more leave both"),
        JobOption(
            "top_p", .numbers(0.01...1), standard: .null,
            """
            a bit's less likely value is never drawn where its probability is at most 1 - top_p; the model's own \
            unless given
            """),
        joining,
    ])

    /// Those of drawing pictures token by token.
    package static let nextTokenDrawing = OptionTable(rows: [
        JobOption(
            "guidance", .numbers(0...30), standard: .null,
            "how strongly the prompt is followed; the model's own unless given"),
        JobOption(
            "temperature", .numbers(0.01...10), standard: .null,
            "how freely tokens are drawn; the model's own unless given"),
        JobOption(
            "top_k", .integers(1...65_536), standard: .null,
            "the likeliest tokens that may be drawn; the model's own unless given"),
        JobOption(
            "top_p", .numbers(0.01...1), standard: .number(1),
            "of those, the likeliest until their probabilities add up to more than it; 1 leaves all"),
        JobOption(
            "identity_mask", .flag, standard: .bool(true),
            "whether concepts of one prompt are kept from reading each other"),
        joining,
    ])

    /// Those of drawing pictures code by code, where concepts have nothing to read of each other.
    package static let codeDrawing = OptionTable(rows: nextTokenDrawing.rows.filter { $0.name != "identity_mask" })

    /// Those of drawing pictures by diffusion.
    package static let diffusionDrawing = OptionTable(rows: [
        JobOption(
            "guidance", .numbers(0...30), standard: .null,
            "how strongly the prompt is followed; 1 and less is no guidance, the model's own unless given"),
        JobOption(
            "steps", .integers(1...200), standard: .null,
            "steps from noise to picture; the model's own unless given"),
        JobOption(
            "negative_prompt", .text(1...500, containing: ""), standard: .null,
            "what guidance leads away from; nothing unless given"),
        joining,
    ])

    /// Those of evaluation.
    package static let evaluation = OptionTable(rows: [
        JobOption(
            "clip", .model, standard: .null, "the encoder of CLIP-I and CLIP-T; the model's own unless given"),
        JobOption("dino", .model, standard: .null, "the encoder of DINO and PRES; the model's own unless given"),
        JobOption(
            "class_pictures", .integers(0...64), standard: .integer(16),
            "pictures of the class prompt for PRES, for every seed"),
    ])
}

extension OptionTable {
    /// Every option with its value: the given one, or the model's usual one, or what holds by itself.
    package func completed(_ given: JSONValue?, usual: [String: JSONValue] = [:]) -> [String: JSONValue] {
        let values = standards.merging(usual) { $1 }
        guard case .object(let members) = given else { return values }
        return values.merging(members) { $1 }
    }

    private var standards: [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.standard) })
    }
}
