import Foundation
import Jobs

/// Artifacts as templates show them: pictures beside their prompts, the rest as files.
enum Pictures {
    /// One artifact.
    static func model(_ artifact: JSONValue) -> [String: Any] {
        var model = artifact.members
        let digest = artifact["sha256"]?.string ?? ""
        let name = artifact["name"]?.string ?? digest
        model["path"] = "/files/" + digest
        model["download"] = "/files/\(digest)?download=" + JobSearch.escaped(name)
        model["size"] = Figures.bytes(artifact["bytes"]?.double ?? 0)
        let prompt = artifact["prompt"]?.string
        model["alt"] = prompt.map { "drawn for: " + $0 } ?? name
        return model
    }

    /// What its job drew of a concept: nothing for prompts that name others of the job's concepts alone.
    static func drawn(of concept: JSONValue) -> [JSONValue] {
        (concept["artifacts"]?.array ?? []).filter { artifact in
            let names = ConceptMention.names(in: artifact["prompt"]?.string ?? "")
            let isItsOwn = names.isEmpty || names.contains { $0 == concept["name"]?.string }
            return artifact.artifactRole == .picture && isItsOwn
        }
    }

    /// Pictures drawn for prompts, prompt by prompt in their order.
    /// - Parameter role: of the pictures: the job's results, or proxies.
    static func byPrompt(_ artifacts: [JSONValue], role: ArtifactRole = .picture) -> [[String: Any]] {
        var order: [String] = []
        var groups: [String: [[String: Any]]] = [:]
        for artifact in artifacts where artifact.artifactRole == role {
            let prompt = artifact["prompt"]?.string ?? ""
            if groups[prompt] == nil { order.append(prompt) }
            groups[prompt, default: []].append(model(artifact))
        }
        return order.map { ["prompt": $0, "pictures": groups[$0] ?? []] }
    }

    /// What was drawn while it was learnt, in the order of steps, which the names end with.
    static func previews(_ artifacts: [JSONValue]) -> [[String: Any]] {
        artifacts.filter { $0.artifactRole == .preview }
            .sorted { ($0["name"]?.string ?? "") < ($1["name"]?.string ?? "") }
            .map { artifact in
                var model = model(artifact)
                let digits = (artifact["name"]?.string ?? "").filter { $0.isASCII && $0.isNumber }
                model["step"] = Int(digits) ?? NSNull()
                model["alt"] = "after \(counted(Int(digits) ?? 0, "step")): \(artifact["prompt"]?.string ?? "")"
                return model
            }
    }

    /// The sheet of each subject's proxies, with how many there are.
    static func sheets(_ artifacts: [JSONValue]) -> [[String: Any]] {
        let names = artifacts.filter { $0.artifactRole == .proxy }.flatMap {
            ConceptMention.names(in: $0["prompt"]?.string ?? "")
        }
        return artifacts.filter { $0.artifactRole == .proxies }.map { artifact in
            var model = model(artifact)
            let subject = names.first { ProxySource.sheet(of: $0) == artifact["name"]?.string } ?? ""
            (model["subject"], model["count"]) = (subject, names.count { $0 == subject })
            model["alt"] = "some of the proxies of \(subject)"
            return model
        }
    }

    /// Everything that is no picture of a prompt: proxies, of which there are thousands, are neither.
    static func files(_ artifacts: [JSONValue]) -> [[String: Any]] {
        let shown: [ArtifactRole?] = [.picture, .preview, .proxy, .proxies]
        return artifacts.filter { !shown.contains($0.artifactRole) }.map { artifact in
            var model = model(artifact)
            model["is_picture"] = artifact["media_type"]?.string?.hasPrefix("image/") ?? false
            return model
        }
    }

    /// The reference pictures of a specification.
    static func references(_ images: JSONValue?) -> [[String: Any]] {
        (images?.array ?? []).enumerated().compactMap { index, image in
            guard let text = image["artifact"]?.string, text.hasPrefix("sha256:") else { return nil }
            let digest = String(text.dropFirst(7))
            return ["path": "/files/" + digest, "alt": "reference \(index + 1)", "sha256": digest]
        }
    }
}
