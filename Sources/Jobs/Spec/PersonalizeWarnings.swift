extension PersonalizeSpec {
    /// What its sender should know, though it can be done.
    /// - Parameters:
    ///   - model: what learns, where it is known.
    ///   - supervisor: what teaches it, where that is known.
    package func warnings(on model: ModelDescription?, by supervisor: ModelDescription?) -> [String] {
        idleOptionWarnings + slowTeachingWarnings(by: supervisor)
            + idlePreviewWarnings(usual: model?.usualOptions(of: method) ?? [:])
            + idlePictureWarnings + sharedPictureWarnings + articleWarnings + nounlessWarnings + unnamedWarnings
    }

    /// What is said of a rate that is another rule's: Prodigy multiplies the one it finds by it. diffusers warns of the
    /// same ones.
    private func slowTeachingWarnings(by supervisor: ModelDescription?) -> [String] {
        guard self.supervisor != nil, supervisorRule(of: supervisor) == "prodigy",
            let rate = options["supervisor_learning_rate"]?.double, rate <= 0.1
        else { return [] }
        return [
            """
            /options/supervisor_learning_rate: next to nothing is learnt at \(rate) of the rate that Prodigy finds \
            itself; 1 is usual, and rates like this one are those of supervisor_optimizer adamw
            """
        ]
    }

    /// What is said of previews that no step comes to: at the last one samples are drawn.
    private func idlePreviewWarnings(usual: [String: JSONValue]) -> [String] {
        guard let every = previewEvery,
            let steps = table.completed(.object(options), usual: usual)["iterations"]?.integer, every >= steps
        else { return [] }
        return ["/preview_every: no preview comes of it: the training has \(counted(steps, "step"))"]
    }

    /// What is said of pictures that no concept is learnt from.
    private var idlePictureWarnings: [String] {
        let places = Set(concepts.flatMap { self.places(of: $0) })
        return images.indices.filter { !places.contains($0) }.map {
            "/images/\($0): no concept names it among its images: nothing is learnt from it"
        }
    }

    /// What is said of pictures that several concepts are learnt from: places are easily miscounted.
    private var sharedPictureWarnings: [String] {
        let learnt = concepts.filter { proxies(of: $0) == nil }
        return images.indices.compactMap { place in
            let names = learnt.filter { $0.images?.contains(place) == true }.map { "<\($0.name)>" }
            guard names.count > 1 else { return nil }
            return """
                /images/\(place): \(names.joined(separator: " and ")) name it among their images: each is learnt as \
                what it shows
                """
        }
    }

    /// What is said of options that nothing acts on.
    private var idleOptionWarnings: [String] {
        guard !idleOptions.isEmpty else { return [] }
        let names = idleOptions.joined(separator: ", ")
        return ["/options: nothing acts on \(names): proxies of another job are learnt from as they were drawn"]
    }

    /// What is said of nouns that bring an article, which stands before the concept's name already.
    private var articleWarnings: [String] {
        concepts.enumerated().compactMap { index, concept in
            let words = (concept.className ?? "").split(separator: " ")
            guard concept.role == .subject, words.count > 1, ["a", "an", "the"].contains(words[0].lowercased()) else {
                return nil
            }
            let place = concept.isListed ? "/concepts/\(index)" : "/concept"
            let noun = words.dropFirst().joined(separator: " ")
            return "\(place)/class: “\(noun)” alone is meant: it is learnt as a <\(concept.name)> \(words[0]) \(noun)"
        }
    }

    /// What is said of a prompt with the noun of a style that has none.
    private var nounlessWarnings: [String] {
        guard concept.className == nil, options["prompt"]?.string?.contains("{class}") == true else { return [] }
        return ["/options/prompt: nothing stands for {class} in it: <\(concept.name)> has no class"]
    }

    /// What is said of a training none of whose prompts names what it learns: most likely the brackets were forgotten.
    private var unnamedWarnings: [String] {
        guard !prompts.isEmpty, prompts.allSatisfy({ ConceptMention.names(in: $0).isEmpty }) else { return [] }
        let names = concepts.map { "<\($0.name)>" }.joined(separator: " or ")
        return ["/prompts: none names \(names): the sample pictures will not show what was learnt"]
    }
}
