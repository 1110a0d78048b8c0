import Jobs

/// A list of prompts that concepts are scored by. `{concept}` stands for the concept's name in a prompt, `{class}` for
/// its class noun.
package struct PromptSuite: Equatable, Sendable {
    /// As jobs give it.
    package let name: String
    /// A prompt each.
    package let templates: [String]

    /// - Parameter templates: with `{concept}`, and `{class}` where the noun belongs.
    package init(name: String, templates: [String]) {
        self.name = name
        self.templates = templates
    }

    /// One template for a concept, as it is asked for (`a <rex> dog in the snow`) and as an encoder reads it that never
    /// met the concept (`a dog in the snow`).
    package static func prompts(
        _ template: String, concept: String, className: String
    ) -> (asked: String, described: String) {
        let placeholder = "<\(concept)>"
        let filled = template.replacing("{class}", with: className).replacing("{concept}", with: placeholder)
        let asked = PromptText.withoutPlaceholders(filled, [])
        return (asked, PromptText.naming(className, in: asked, without: placeholder))
    }

    /// What a template shows, for a style to show it: `a dog in the snow`, `a picture in the snow` where the class is
    /// not said.
    /// - Returns: nil of a template that has a style of its own.
    package static func scene(_ template: String, className: String) -> String? {
        let photo = "a photo of "
        let shown = template.hasPrefix(photo) ? String(template.dropFirst(photo.count)) : template
        guard !shown.contains(" of a {concept}") else { return nil }
        let noun = className.isEmpty ? "picture" : className
        return shown.replacing("a {concept} {class}", with: noun.withArticle).replacing("{concept} {class}", with: noun)
    }

    /// Those that come with Atelier.
    package static let all = [dreamBenchObject, dreamBenchLiving, littleWorld]
}

extension PromptSuite {
    private static let anywhere = [
        "in the jungle", "in the snow", "on the beach", "on a cobblestone street", "on top of pink fabric",
        "on top of a wooden floor",
        "with a city in the background", "with a mountain in the background", "with a blue house in the background",
        "on top of a purple rug in a forest",
    ]
    private static let recoloured = ["red", "purple", "shiny", "wet", "cube shaped"].map { "a \($0) {concept} {class}" }

    private static func dreamBench(_ name: String, _ own: [String]) -> PromptSuite {
        PromptSuite(name: name, templates: (anywhere + own).map { "a {concept} {class} \($0)" } + recoloured)
    }

    /// The 25 prompts for objects of DreamBench (github.com/google/dreambooth, dataset/prompts_and_classes.txt, CC-BY
    /// 4.0; Ruiz et al., arXiv 2208.12242).
    package static let dreamBenchObject = dreamBench(
        "dreambench-object",
        [
            "with a wheat field in the background", "with a tree and autumn leaves in the background",
            "with the Eiffel Tower in the background",
            "floating on top of water", "floating in an ocean of milk",
            "on top of green grass with sunflowers around it", "on top of a mirror",
            "on top of the sidewalk in a crowded street", "on top of a dirt road", "on top of a white rug",
        ])

    /// The 25 prompts for living subjects, from the same file.
    package static let dreamBenchLiving = dreamBench(
        "dreambench-living",
        [
            "wearing a red hat", "wearing a santa hat", "wearing a rainbow scarf",
            "wearing a black top hat and a monocle", "in a chef outfit",
            "in a firefighter outfit", "in a police outfit", "wearing pink glasses", "wearing a yellow shirt",
            "in a purple wizard outfit",
        ])

    /// Little World's own: places, things worn and styles that its captions know. The first ten are a selection of all
    /// three.
    package static let littleWorld = PromptSuite(
        name: "little-world",
        templates: [
            "a photo of a {concept} {class} in the jungle", "a photo of a {concept} {class} on the mountain",
            "a photo of a {concept} {class} floating on water", "a photo of a {concept} {class} in the desert",
            "a photo of a {concept} {class} at night in a city", "a photo of a {concept} {class} in the snow",
            "a photo of a {concept} {class} wearing a red hat", "a photo of a {concept} {class} with a crown",
            "a watercolour painting of a {concept} {class}", "a pixel art picture of a {concept} {class}",
            "a photo of a {concept} {class} with a city in the background",
            "a photo of a {concept} {class} on a picnic blanket",
            "a photo of a {concept} {class} on a dirt road", "a photo of a {concept} {class} with a balloon",
            "a photo of a {concept} {class} under an umbrella", "a crayon drawing of a {concept} {class}",
        ])
}
