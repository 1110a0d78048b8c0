import Foundation

/// Where a reference picture comes from.
package enum ImageSource: Sendable, Equatable {
    /// A PNG inside the message.
    case png(Data)
    /// Bytes that are already in the artifact store: 64 hexadecimal digits.
    case artifact(String)

    var json: JSONValue {
        switch self {
        case .png(let data): ["png": .string(data.base64EncodedString())]
        case .artifact(let digest): ["artifact": .string("sha256:" + digest)]
        }
    }
}
