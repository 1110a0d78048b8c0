import Foundation
import Hashing
import Jobs
import Store

extension Rejection {
    /// The body as the row of a job would have it, pictures by their digests, though it may be none by now. Nil where
    /// it never was one with these properties.
    var row: JSONValue? {
        guard messageID != nil, !problems.contains(where: { $0.pointer.hasPrefix("property:") }),
            case .object(var members)? = try? JobSpec.parsed(body)
        else { return nil }
        if let images = members["images"]?.array { members["images"] = .array(images.map(Self.stored)) }
        let row = JSONValue.object(members)
        return (try? JobSpec(row, isAccepted: true))?.json ?? row
    }

    /// A picture of a body, as the store has it.
    private static func stored(_ image: JSONValue) -> JSONValue {
        guard case .object(var members) = image, let text = (members["png"] ?? members["data"])?.string,
            let data = Data(base64Encoded: text)
        else { return image }
        for field in ["png", "data"] { members[field] = nil }
        members["artifact"] = .string(SHA256Digest.of(data).prefixed)
        return .object(members)
    }
}
