import Foundation

/// A reference picture: where it comes from, and what of it counts.
package struct ImageSource: Sendable, Equatable {
    /// Where a picture comes from.
    package enum Content: Sendable, Equatable {
        /// A file inside the message: a PNG, a JPEG or a WebP.
        case data(Data)
        /// Bytes that are already in the artifact store: 64 hexadecimal digits.
        case artifact(String)
    }

    /// In the message, or in the artifact store.
    package var content: Content
    /// Nil: all of it.
    package var crop: CropArea?

    /// Describes a picture.
    package init(_ content: Content, crop: CropArea? = nil) { (self.content, self.crop) = (content, crop) }

    /// A file inside the message, all of it.
    package static func data(_ data: Data) -> ImageSource { ImageSource(.data(data)) }
    /// Bytes that are already in the artifact store, all of the picture.
    package static func artifact(_ digest: String) -> ImageSource { ImageSource(.artifact(digest)) }

    /// Some picture, for what does not depend on which.
    static let any = artifact(String(repeating: "0", count: 64))

    /// The most bytes of a file inside a message.
    static let mostBytes = 16 << 20

    /// What is wrong with a file of so many bytes; nil where a message may have it.
    package static func excess(of bytes: Int, at pointer: String) -> Problem? {
        guard bytes > mostBytes else { return nil }
        let size = (Double(bytes) / Double(1 << 20) * 10).rounded(.up) / 10
        let limit = "at most \(mostBytes >> 20) MiB; more than 2048 pixels a side are not needed"
        return Problem(pointer, found: "a file of \(size) MiB", allowed: limit)
    }

    /// The most pictures of a job.
    static let mostPictures = 32

    var json: JSONValue {
        var members: [String: JSONValue] =
            switch content {
            case .data(let data):
                [PictureFormat(data) == .png ? "png" : "data": .string(data.base64EncodedString())]
            case .artifact(let digest): ["artifact": .string("sha256:" + digest)]
            }
        members["crop"] = crop?.json
        return .object(members)
    }
}

/// A part of a picture as it stands upright, in fractions of its width and height: the same whatever its resolution is.
package struct CropArea: Sendable, Equatable, Codable {
    /// From 0 to 1.
    package var left, top, width, height: Double

    /// Describes a part.
    package init(left: Double, top: Double, width: Double, height: Double) {
        (self.left, self.top, self.width, self.height) = (left, top, width, height)
    }

    static let rule = """
        {"left", "top", "width", "height"} in fractions of the upright picture, from 0 to 1, that lie inside of it
        """

    /// Nil where it is none.
    package init?(_ value: JSONValue) {
        guard case .object(let members) = value, members.keys.sorted() == ["height", "left", "top", "width"],
            let left = members["left"]?.double, let top = members["top"]?.double,
            let width = members["width"]?.double, let height = members["height"]?.double,
            left >= 0, top >= 0, width > 0, height > 0, left + width <= 1.000_001, top + height <= 1.000_001
        else { return nil }
        self.init(left: left, top: top, width: width, height: height)
    }

    var json: JSONValue {
        ["left": .number(left), "top": .number(top), "width": .number(width), "height": .number(height)]
    }

    /// Columns and rows of it in a picture of so many pixels, at least one of each.
    package func pixels(
        width columns: Int, height rows: Int
    ) -> (left: Int, top: Int, width: Int, height: Int) {
        func range(_ start: Double, _ length: Double, _ count: Int) -> (Int, Int) {
            let first = min(Int((start * Double(count)).rounded()), count - 1)
            let end = max(min(Int(((start + length) * Double(count)).rounded()), count), first + 1)
            return (first, end - first)
        }
        let (left, width) = range(left, width, columns)
        let (top, height) = range(top, height, rows)
        return (left, top, width, height)
    }
}
