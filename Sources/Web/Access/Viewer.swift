/// Whoever asks for a page, and what they may see and do.
struct Viewer: Sendable {
    /// What they are called; nil where nobody signs in.
    let name: String?
    /// Whether they may retry, cancel, delete and publish, as far as the program was given the means.
    let mayAct: Bool
    /// The one tenant they see; nil: all.
    let tenant: String?
    /// What their forms must carry; nil for who comes with a token in each request.
    let formToken: String?

    /// Whether they see what belongs to this tenant.
    func sees(_ tenant: String?) -> Bool { self.tenant == nil || self.tenant == tenant }
}
