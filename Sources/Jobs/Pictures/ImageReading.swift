import Foundation

/// What every job with reference pictures says of them.
extension SpecReader {
    private static let contents = ["png", "data", "artifact"]

    /// - Parameters:
    ///   - needed: whether a job without pictures has nothing to learn from.
    ///   - others: what it could learn from in their place.
    mutating func images(needed: Bool = true, or others: String? = nil) -> [ImageSource] {
        if !needed, body["images"] == nil { return [] }
        guard let elements = body["images"]?.array, (1...ImageSource.mostPictures).contains(elements.count) else {
            let count = body["images"]?.array.map { "\($0.count) pictures" }
            let rest = others.map { ", or \($0)" } ?? ""
            problems.append(
                Problem(
                    "/images", found: count ?? body["images"]?.outline ?? "nothing",
                    allowed: "a list of 1 to \(ImageSource.mostPictures) pictures\(rest)"
                ))
            return []
        }
        return elements.enumerated().compactMap { index, element in image(element, at: "/images/\(index)") }
    }

    private mutating func image(_ element: JSONValue, at pointer: String) -> ImageSource? {
        guard case .object(let members) = element else {
            problems.append(Problem(pointer, found: element.outline, allowed: Self.form))
            return nil
        }
        let strange = members.keys.filter { !Self.contents.contains($0) && $0 != "crop" }.sorted()
        for name in strange {
            problems.append(
                Problem(
                    "\(pointer)/\(Problem.escaped(name))", found: "an unknown field",
                    allowed: "png, data, artifact, crop"))
        }
        var crop: CropArea?
        if let value = members["crop"] { crop = self.crop(value, at: pointer + "/crop") }
        let given = Self.contents.filter { members[$0] != nil }
        guard given.count == 1, let value = members[given[0]] else {
            if strange.isEmpty { problems.append(Problem(pointer, found: element.outline, allowed: Self.form)) }
            return nil
        }
        guard let content = content(value, given[0], at: "\(pointer)/\(given[0])"), strange.isEmpty else { return nil }
        return ImageSource(content, crop: crop)
    }

    private static let form = "an object with one of png, data and artifact, and a crop where only a part counts"

    private mutating func content(_ value: JSONValue, _ field: String, at pointer: String) -> ImageSource.Content? {
        if field != "artifact" {
            guard let data = file(value, field, at: pointer) else { return nil }
            return .data(data)
        }
        guard let text = value.string, text.wholeMatch(of: /sha256:[0-9a-f]{64}/) != nil else {
            problems.append(
                Problem(
                    pointer, found: value.outline, allowed: "sha256: and 64 hexadecimal digits in lowercase"))
            return nil
        }
        return .artifact(String(text.dropFirst(7)))
    }

    /// A file that begins like a picture; what is inside of it is the engine's to say.
    private mutating func file(_ value: JSONValue, _ field: String, at pointer: String) -> Data? {
        guard let text = value.string else {
            problems.append(Problem(pointer, found: value.outline, allowed: "a picture in base64"))
            return nil
        }
        let data: Data
        do throws(Base64Text.Fault) { data = try Base64Text.decoded(text) } catch {
            problems.append(Problem(pointer, found: error.found, allowed: error.allowed))
            return nil
        }
        if let excess = ImageSource.excess(of: data.count, at: pointer) {
            problems.append(excess)
            return nil
        }
        return isAllowed(data, field, at: pointer) ? data : nil
    }

    private mutating func isAllowed(_ data: Data, _ field: String, at pointer: String) -> Bool {
        guard let format = PictureFormat(data) else {
            let foreign = ForeignFile(data)
            problems.append(
                Problem(pointer, found: foreign.name, allowed: "\(PictureFormat.words); \(foreign.advice)"))
            return false
        }
        guard field == "data" || format == .png else {
            problems.append(
                Problem(
                    pointer, found: "a \(format.rawValue)",
                    allowed: "a PNG; other formats go into data, or convert it: convert photo photo.png"))
            return false
        }
        return true
    }

    private mutating func crop(_ value: JSONValue, at pointer: String) -> CropArea? {
        if let crop = CropArea(value) { return crop }
        problems.append(Problem(pointer, found: value.brief, allowed: CropArea.rule))
        return nil
    }
}

extension JSONValue {
    /// What it is, without what it says where that is long: pictures are long.
    var outline: String {
        switch self {
        case .string(let text) where text.utf8.count > 60: "a text of \(text.utf8.count) characters"
        case .array(let elements): elements.isEmpty ? "an empty list" : "a list of \(counted(elements.count, "value"))"
        case .object(let members):
            members.isEmpty
                ? "an empty object" : "an object with \(members.keys.sorted().joined(separator: ", "))".clipped(to: 100)
        default: brief
        }
    }
}
