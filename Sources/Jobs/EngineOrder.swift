import Foundation

/// The one line an engine reads from its stdin.
package struct EngineOrder: Sendable, JSONLine {
    /// The job.
    package var job: UUID
    /// Which attempt this is, from 1.
    package var attempt: Int
    /// What is to be done; its pictures are named by their digests, and lie where `images` says.
    package var spec: JobSpec
    /// Whose job it is.
    package var tenant: String
    /// The reference pictures' absolute paths, in the body's order.
    package var images: [String]
    /// Absolute paths of the adapters of the concepts the prompts name.
    package var adapters: [String: String]
    /// The pictures that concepts were learnt from, for an evaluation.
    package var references: [String: [ReferenceFile]]?
    /// The proxies of concepts that are not to be drawn anew, by the concepts' names.
    package var proxies: [String: [Proxy]]?
    /// The folder of the models.
    package var models: String
    /// The folder of this attempt.
    package var workspace: String
    /// The checkpoint to go on from.
    package var resume: String?
    /// Seconds between two checkpoints.
    package var checkpointSeconds: Int

    /// Describes an attempt.
    package init(
        job: UUID, attempt: Int, spec: JobSpec, tenant: String, images: [String],
        adapters: [String: String],
        references: [String: [ReferenceFile]]? = nil, proxies: [String: [Proxy]]? = nil, models: String,
        workspace: String, resume: String?,
        checkpointSeconds: Int
    ) {
        self.job = job
        self.attempt = attempt
        self.spec = spec
        self.tenant = tenant
        self.images = images
        self.adapters = adapters
        self.references = references
        self.proxies = proxies
        self.models = models
        self.workspace = workspace
        self.resume = resume
        self.checkpointSeconds = checkpointSeconds
    }

    /// A picture that a job drew of a concept, and the prompt it drew it from.
    package struct Proxy: Sendable, Equatable, Codable {
        /// The picture's absolute path.
        package var path: String
        /// It names the concept.
        package var prompt: String

        /// Describes a picture.
        package init(path: String, prompt: String) { (self.path, self.prompt) = (path, prompt) }
    }

    private enum CodingKeys: String, CodingKey {
        case job, attempt, kind, spec, tenant, images, adapters, references, proxies, models, workspace, resume,
            checkpointSeconds
    }

    /// Members that are not known are passed over.
    /// - Throws: `DecodingError`; `Problems` where `spec` is no job.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        job = try container.decode(UUID.self, forKey: .job)
        attempt = try container.decode(Int.self, forKey: .attempt)
        spec = try container.decode(JobSpec.self, forKey: .spec)
        tenant = try container.decode(String.self, forKey: .tenant)
        images = try container.decode([String].self, forKey: .images)
        adapters = try container.decode([String: String].self, forKey: .adapters)
        references = try container.decodeIfPresent([String: [ReferenceFile]].self, forKey: .references)
        proxies = try container.decodeIfPresent([String: [Proxy]].self, forKey: .proxies)
        models = try container.decode(String.self, forKey: .models)
        workspace = try container.decode(String.self, forKey: .workspace)
        resume = try container.decodeIfPresent(String.self, forKey: .resume)
        checkpointSeconds = try container.decode(Int.self, forKey: .checkpointSeconds)
    }

    /// With the job's kind beside its body, for engines that look at it first.
    /// - Throws: what the encoder does.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(job.uuidString.lowercased(), forKey: .job)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(spec.kind, forKey: .kind)
        try container.encode(spec, forKey: .spec)
        try container.encode(tenant, forKey: .tenant)
        try container.encode(images, forKey: .images)
        try container.encode(adapters, forKey: .adapters)
        try container.encodeIfPresent(references, forKey: .references)
        try container.encodeIfPresent(proxies, forKey: .proxies)
        try container.encode(models, forKey: .models)
        try container.encode(workspace, forKey: .workspace)
        try container.encode(resume, forKey: .resume)
        try container.encode(checkpointSeconds, forKey: .checkpointSeconds)
    }

    /// The reference pictures, in the body's order.
    package var files: [ReferenceFile] {
        images.enumerated().map { index, path in
            ReferenceFile(path: path, crop: spec.images.indices.contains(index) ? spec.images[index].crop : nil)
        }
    }
}

/// A reference picture on the disk, and the part of it that counts.
package struct ReferenceFile: Sendable, Codable, Equatable {
    /// Absolute.
    package var path: String
    /// Nil: all of it.
    package var crop: CropArea?

    /// Describes one.
    package init(path: String, crop: CropArea? = nil) { (self.path, self.crop) = (path, crop) }
}
