import Foundation
import Jobs
import Web

/// A token with what the file gets of it.
struct AccessTokenPair {
    let token: String
    let entry: JSONValue

    init(_ name: String, _ role: AccessToken.Role, _ tenant: String?) {
        let made = AccessToken.make(name: name, role: role, tenant: tenant)
        token = made.token
        entry = (try? JSONValue(made.entry)) ?? .null
    }
}
