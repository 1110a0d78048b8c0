import Foundation
import Jobs

/// What the metrics mean, for who has not read the papers.
enum ScoreMeaning {
    private static let meanings: [(String, String, String)] = [
        ("dino", "DINO", "likeness to the references by DINO's features: 1 is the same picture, more is better"),
        (
            "dino_to_others", "DINO to others",
            "likeness to the references of the other subjects by DINO's features: less than DINO where it is kept apart"
        ),
        ("clip_i", "CLIP-I", "likeness to the references by CLIP's features: more is better"),
        ("clip_t", "CLIP-T", "how well pictures show what their prompts say, by CLIP: more is better"),
        ("pres", "PRES", "how much others of the class drifted towards the concept: less is better"),
        ("div_dino", "DIV (DINO)", "how different pictures of one prompt are, by DINO's distance: more is more varied"),
        ("div", "DIV", "how different pictures of one prompt are, by LPIPS: more is more varied"),
        ("style_alignment", "Style", "likeness of the pictures' style to the style's reference: more is better"),
        ("text_alignment", "Text", "how well pictures show what their prompts say: more is better"),
        ("loss", "Loss", "what training brought down, at its end: comparable only within a method"),
        ("steps", "Steps", "training steps that were made"),
        ("adapter_bytes", "Adapter", "size of what was learnt"),
    ]

    /// A metric's name, encoder and meaning, with its value, as a template reads it.
    static func model(_ metric: String, _ value: JSONValue, halfWidth: Double? = nil) -> [String: Any] {
        let parts = metric.split(separator: ".", maxSplits: 1).map(String.init)
        let found = meanings.first { $0.0 == parts.first }
        let number = value.double ?? 0
        return [
            "name": found.map { $0.0 == "loss" && parts.count > 1 ? "Loss: " + parts[1] : $0.1 } ?? metric,
            "encoder": found?.0 == "loss" ? "" : parts.count > 1 ? parts[1] : "",
            "meaning": found?.2 ?? "",
            "value": metric == "adapter_bytes" ? Figures.bytes(number) : Figures.plain(number),
            "half_width": halfWidth.map { Figures.plain($0) } ?? NSNull(),
            "order": meanings.firstIndex { $0.0 == parts.first } ?? meanings.count,
        ]
    }

    /// All of an object's, in the order above.
    static func models(_ metrics: JSONValue?) -> [[String: Any]] {
        guard case .object(let members)? = metrics else { return [] }
        return members.map { model($0.key, $0.value) }.sorted {
            let (left, right) = ($0["order"] as? Int ?? 0, $1["order"] as? Int ?? 0)
            return left == right ? "\($0["name"] ?? "")" < "\($1["name"] ?? "")" : left < right
        }
    }
}
