import Foundation

/// One line an engine writes to its stdout, told apart by `"event"`.
package enum EngineEvent: Sendable, Equatable {
    case started(Started)
    /// It is at work, and has nothing else to say.
    case alive
    case progress(Progress)
    case metric(Metric)
    case artifact(Artifact)
    case checkpoint(Checkpoint)
    case done(Done)
    case interrupted(Interrupted)
    case failed(Failed)

    /// The engine begins.
    package struct Started: Sendable, Equatable, Codable {
        /// Its version.
        package var engine: String
        /// The backbone it uses.
        package var backbone: String
        /// The first event of an attempt.
        package init(engine: String, backbone: String) {
            self.engine = engine
            self.backbone = backbone
        }
    }
    /// How far it is.
    package struct Progress: Sendable, Equatable, Codable {
        /// What it is doing.
        package var stage: String
        /// Steps done of this stage.
        package var step: Int
        /// Steps of this stage.
        package var steps: Int
        /// - Parameter step: at most `steps`.
        package init(stage: String, step: Int, steps: Int) {
            self.stage = stage
            self.step = step
            self.steps = steps
        }
    }
    /// Numbers by name at a step.
    package struct Metric: Sendable, Equatable, Codable {
        /// Steps done.
        package var step: Int
        /// By name (`loss`, `gradient_norm`); what is not finite is not stored.
        package var values: [String: Double]
        /// Values at a step.
        package init(step: Int, values: [String: Double]) {
            self.step = step
            self.values = values
        }
    }
    /// A file it made.
    package struct Artifact: Sendable, Equatable, Codable {
        /// adapter, picture, sheet, curve …
        package var role: ArtifactRole
        /// Its name for people.
        package var name: String
        /// Where it lies, inside the workspace.
        package var path: String
        /// `image/png`, …
        var mediaType: String
        /// 64 hexadecimal digits.
        package var sha256: String
        /// Of the file.
        package var bytes: Int
        /// The prompt a picture was drawn from.
        package var prompt: String?
        /// Its seed.
        package var seed: UInt64?
        /// - Parameter prompt: of a picture alone, as `seed`.
        package init(
            role: ArtifactRole, name: String, path: String, mediaType: String, sha256: String, bytes: Int,
            prompt: String? = nil, seed: UInt64? = nil
        ) {
            (self.role, self.name, self.path, self.mediaType) = (role, name, path, mediaType)
            (self.sha256, self.bytes, self.prompt, self.seed) = (sha256, bytes, prompt, seed)
        }
    }
    /// A state to go on from, whole on the disk.
    package struct Checkpoint: Sendable, Equatable, Codable {
        /// Steps done.
        package var step: Int
        /// Where it lies, inside the workspace.
        package var path: String
        /// 64 hexadecimal digits.
        package var sha256: String
        /// Of the file.
        package var bytes: Int
        /// A file that is whole on the disk.
        package init(step: Int, path: String, sha256: String, bytes: Int) {
            (self.step, self.path, self.sha256, self.bytes) = (step, path, sha256, bytes)
        }
    }
    /// The job is done.
    package struct Done: Sendable, Equatable, Codable {
        /// The kind's own result, with `metrics` in it.
        package var result: JSONValue
        /// From the order to the end.
        package var seconds: Double
        /// The most that was resident at a time.
        package var peakMemoryBytes: Int
        /// The last event of an attempt that did its job.
        package init(result: JSONValue, seconds: Double, peakMemoryBytes: Int) {
            (self.result, self.seconds, self.peakMemoryBytes) = (result, seconds, peakMemoryBytes)
        }
    }
    /// It stopped as asked, behind a checkpoint where there was work to save.
    package struct Interrupted: Sendable, Equatable, Codable {
        /// Of the checkpoint that it wrote; 0 where it wrote none.
        package var step: Int
        /// The last event of an attempt that was asked to stop.
        package init(step: Int) { self.step = step }
    }
    /// It failed.
    package struct Failed: Sendable, Equatable, Codable {
        /// Dotted, lowercase: `input.image`, `engine.memory`.
        package var code: String
        /// What the daemon does with the job.
        package var consequence: Consequence
        /// What is wrong, where, and what to do.
        package var message: String
        /// Of the message, where its sender can mend them.
        package var problems: [Problem]?
        /// The last event of an attempt that failed.
        package init(code: String, consequence: Consequence, message: String, problems: [Problem]? = nil) {
            (self.code, self.consequence, self.message, self.problems) = (code, consequence, message, problems)
        }
    }
}

extension EngineEvent: Codable {
    private enum Discriminator: String, CodingKey { case event }

    /// Members that are not known are passed over.
    /// - Throws: `DecodingError` for an event that is not known, or one that lacks a member.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Discriminator.self)
        let event = try container.decode(String.self, forKey: .event)
        switch event {
        case "started": self = .started(try Started(from: decoder))
        case "alive": self = .alive
        case "progress": self = .progress(try Progress(from: decoder))
        case "metric": self = .metric(try Metric(from: decoder))
        case "artifact": self = .artifact(try Artifact(from: decoder))
        case "checkpoint": self = .checkpoint(try Checkpoint(from: decoder))
        case "done": self = .done(try Done(from: decoder))
        case "interrupted": self = .interrupted(try Interrupted(from: decoder))
        case "failed": self = .failed(try Failed(from: decoder))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .event, in: container,
                debugDescription:
                    """
                    \"\(event)\" is no event; allowed are started, alive, progress, metric, artifact, checkpoint, \
                    done, interrupted, failed
                    """
            )
        }
    }

    /// The event's members beside its name.
    /// - Throws: `EncodingError` for a number that is none, unless the encoder has words for these.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Discriminator.self)
        switch self {
        case .started(let value):
            try container.encode("started", forKey: .event)
            try value.encode(to: encoder)
        case .alive: try container.encode("alive", forKey: .event)
        case .progress(let value):
            try container.encode("progress", forKey: .event)
            try value.encode(to: encoder)
        case .metric(let value):
            try container.encode("metric", forKey: .event)
            try value.encode(to: encoder)
        case .artifact(let value):
            try container.encode("artifact", forKey: .event)
            try value.encode(to: encoder)
        case .checkpoint(let value):
            try container.encode("checkpoint", forKey: .event)
            try value.encode(to: encoder)
        case .done(let value):
            try container.encode("done", forKey: .event)
            try value.encode(to: encoder)
        case .interrupted(let value):
            try container.encode("interrupted", forKey: .event)
            try value.encode(to: encoder)
        case .failed(let value):
            try container.encode("failed", forKey: .event)
            try value.encode(to: encoder)
        }
    }

    /// Reads one line.
    package init(line: Data) throws { self = try JSONDecoder().decode(EngineEvent.self, from: line) }

    /// The event as one line, without its end.
    package var line: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(self)) ?? Data()
    }
}
