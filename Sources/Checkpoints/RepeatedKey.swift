import Foundation

/// The first key that some object of a JSON text gives twice, or nil. Foundation's parser keeps one of the two and says
/// nothing.
/// - Precondition: `json` is well-formed.
func repeatedKey(in json: UnsafeRawBufferPointer) -> String? {
    /// The keys of the objects around a place, from the outermost; nil stands for an array.
    var levels: [Set<String>?] = []
    var isKeyNext = false
    var place = 0
    while place < json.count {
        switch json[place] {
        case UInt8(ascii: "{"):
            levels.append([])
            isKeyNext = true
        case UInt8(ascii: "["): levels.append(nil)
        case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
        case UInt8(ascii: ","): isKeyNext = levels.last! != nil
        case UInt8(ascii: "\""):
            let start = place
            place = endOfString(at: start, in: json)
            if isKeyNext, let key = string(json[start..<place + 1]), !levels[levels.count - 1]!.insert(key).inserted {
                return key
            }
            isKeyNext = false
        default: break
        }
        place += 1
    }
    return nil
}

/// Where the quote is that ends a string.
private func endOfString(at start: Int, in json: UnsafeRawBufferPointer) -> Int {
    var place = start + 1
    while json[place] != UInt8(ascii: "\"") { place += json[place] == UInt8(ascii: "\\") ? 2 : 1 }
    return place
}

/// A string with its quotes, escapes resolved.
private func string(_ json: Slice<UnsafeRawBufferPointer>) -> String? {
    guard json.contains(UInt8(ascii: "\\")) else { return String(decoding: json.dropFirst().dropLast(), as: UTF8.self) }
    return try? JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String
}
