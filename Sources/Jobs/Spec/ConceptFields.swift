/// What a body says of concepts that are learnt.
extension SpecReader {
    /// What is learnt: one `concept`, or a list `concepts`, each with its own pictures or proxies.
    mutating func concepts() -> [ConceptSpec] {
        guard let list = body["concepts"] else { return concept(body["concept"], at: "/concept").map { [$0] } ?? [] }
        if body["concept"] != nil { note("/concept", body["concept"], "nothing: /concepts has all of them") }
        guard let elements = list.array, (1...8).contains(elements.count) else {
            note("/concepts", list, "a list of 1 to 8 concepts")
            return []
        }
        let found = elements.enumerated().compactMap { index, element in
            concept(element, at: "/concepts/\(index)", ofSeveral: true)
        }
        let names = elements.map { $0["name"] }
        for (index, name) in names.enumerated() where name != nil && names[..<index].contains(name) {
            note("/concepts/\(index)/name", name, "another name than before")
        }
        return found
    }

    private mutating func concept(
        _ value: JSONValue?, at place: String, ofSeveral: Bool = false
    ) -> ConceptSpec? {
        guard case .object(let members) = value else {
            note(place, value, "an object with name, role and class")
            return nil
        }
        let known = ["name", "role", "class"] + (ofSeveral ? ["images", "proxies"] : [])
        for name in members.keys.sorted() where !known.contains(name) {
            problems.append(strange(name, at: place, known))
        }
        let name = members["name"]?.string.flatMap { ConceptMention.isName($0) ? $0 : nil }
        if name == nil {
            noteName(
                "\(place)/name", members["name"],
                "1 to 64 lowercase letters, digits, dashes and underscores, the first a letter or digit")
        }
        let role = members["role"]?.string.flatMap(ConceptRole.init(rawValue:))
        if role == nil {
            note("\(place)/role", members["role"], ConceptRole.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let noun = members["class"]?.string.flatMap { isNoun($0) ? $0 : nil }
        if noun == nil, role == .subject || members["class"] != nil {
            note("\(place)/class", members["class"], ConceptSpec.nounRule)
        }
        let proxies = members["proxies"].flatMap { ProxySource($0) }
        if members["proxies"] != nil, proxies == nil {
            note("\(place)/proxies", members["proxies"], ProxySource.rule)
        }
        let isNeeded = proxies == nil && !reusesProxies
        let places = ofSeveral ? imagePlaces(members["images"], isNeeded: isNeeded, at: place) : nil
        guard let name, let role else { return nil }
        return ConceptSpec(name: name, role: role, className: noun, images: places, proxies: proxies)
    }

    /// A field that a concept has not; the proxies of a single one stand among the options.
    private func strange(_ name: String, at place: String, _ known: [String]) -> Problem {
        let pointer = "\(place)/" + Problem.escaped(name)
        return name == "proxies" && body["method"]?.string == PersonalizationMethod.proxyTuning.rawValue
            ? Problem(pointer, found: "an option", allowed: #"within options: {"options": {"proxies": …}}"#)
            : Problem(pointer, found: "an unknown field", allowed: known.joined(separator: ", "))
    }

    /// Whether a text is a class noun; what was accepted before may end in a blank, or have two.
    private func isNoun(_ text: String) -> Bool {
        ConceptSpec.isNoun(text) || (isAccepted && text.wholeMatch(of: /[A-Za-z][A-Za-z -]{0,63}/) != nil)
    }

    /// Where a concept's pictures are in the job's list.
    private mutating func imagePlaces(_ value: JSONValue?, isNeeded: Bool, at place: String) -> [Int] {
        let numbers = value?.array.map { $0.compactMap(\.integer) } ?? []
        if isNeeded || value != nil, numbers.isEmpty || numbers.count != value?.array?.count {
            note("\(place)/images", value, "a list of places in /images, counted from 0, or proxies of a job")
        }
        return numbers
    }

    /// What the concepts to be learnt are called; nil where one has no name, which is a problem of its own.
    var learntNames: [String]? {
        let learnt: [JSONValue] = body["concepts"] == nil ? body["concept"].map { [$0] } ?? [] : listed
        let names = learnt.compactMap { $0["name"]?.string }.filter(ConceptMention.isName)
        return (1...8).contains(names.count) && names.count == learnt.count ? names : nil
    }

    /// Whether some concept has nothing to learn from but pictures; others have proxies that another job drew.
    func needsImages(by method: PersonalizationMethod?) -> Bool {
        body["concepts"] == nil ? method != .proxyTuning || !reusesProxies : drawsProxies
    }

    /// Whether Proxy-Tuning has proxies to draw.
    var drawsProxies: Bool { lacksProxies && !reusesProxies }

    /// As they came: one that is wrong in something else counts all the same.
    private var listed: [JSONValue] { body["concepts"]?.array ?? [] }

    /// Whether some concept names no job that drew its proxies.
    private var lacksProxies: Bool {
        listed.isEmpty || listed.contains { $0["proxies"].flatMap { ProxySource($0) } == nil }
    }

    /// Whether a job's proxies serve all concepts that name none.
    private var reusesProxies: Bool { body["options"]?["proxies"].flatMap { ProxySource($0) } != nil }

    /// Whether the places of pictures are in the list.
    mutating func holdPlaces() {
        let count = body["images"]?.array?.count ?? 0
        for (index, concept) in listed.prefix(8).enumerated() {
            for (number, element) in (concept["images"]?.array ?? []).enumerated() {
                guard let place = element.integer, !(0..<count).contains(place) else { continue }
                problems.append(
                    Problem(
                        "/concepts/\(index)/images/\(number)", found: "\(place)",
                        allowed: count == 0 ? "none: there are no /images" : "0 to \(count - 1)"))
            }
        }
    }
}
