import ArgumentParser
import Catalogue
import Checkpoints
import Daemon
import Foundation
import Hashing
import Jobs

extension Models {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a model among the models: a folder of ours, or a release as it is downloaded.",
            discussion:
                """
                A folder that holds a model in our layout (config.json, its files of weights, tokenizer.json where it \
                reads texts) is copied. Anything else is looked at: a release is recognized by the names and shapes in \
                its files (Infinity, Lumina-mGPT, LlamaGen, SDXL, SD3, SD3.5, FLUX.1, CLIP, DINO, LPIPS), its weights \
                are converted once to safetensors or linked, and everything that is missing is said at once. The \
                engine then reads the model as a job would, where it fits the memory. Written beside: model.json, \
                which describes it, release.json, which says what it was made of, and \
                \(ChecksumFile.name). Nothing is seen of it before it is whole.
                """
        )
        @OptionGroup var server: ServerOptions
        @Argument(help: "Files and folders: all that belongs to the model.") var paths: [String]
        @Option(help: "What jobs will call it; like its folder or file unless given.") var name: String?
        @Option(help: "Which family is meant, where the files are of several.") var family: String?
        @Flag(help: "Leave the weights where they are, and link to them.") var link = false
        @Option(help: "What the weights become: stored (bf16 stays, all else f32), bf16, f32 or int8.")
        var precision = "stored"
        @Option(help: "Infinity: pixels of its pictures (0.06M, 0.25M, 0.60M, 1M); by its name, or 1M, unless given.")
        var pixels: String?
        @Option(help: "Infinity: height over width of its pictures, 0.333 to 3.") var ratio = 1.0
        @Option(help: "All others that draw: pixels on a side of its pictures, at most 4096; by its name unless given.")
        var side: Int?
        @Option(help: "Heads of the attention, where no file tells them.") var heads: Int?

        func run() async throws {
            let settings = try server.settings(needing: ["modelsDirectory"])
            do {
                let staged = try staged(for: ModelInstallation(directory: settings.modelsDirectory))
                let report = try await EngineScratch.with(settings) { await trial(of: staged.folder, $0) }
                let problems = report.problems.map(staged.naming(sourceOf:))
                guard problems.isEmpty else { throw ModelInstallation.Refusal(problems: problems) }
                let model = try staged.settle()
                let untried = report.untried.map { ["it was not read as a job reads it: \($0)"] } ?? []
                let width = precision == "f32" ? [] : [model.precisionWarning].compactMap { $0 }
                for warning in staged.warnings + untried + width + model.encoderWarnings {
                    Terminal.note("atelierctl: warning: \(printable(warning))")
                }
                print(server.json ? model.json(problems: []).text : printable(model.folder))
            } catch {
                Terminal.note(
                    "atelierctl: \(paths.map(printable).joined(separator: " ")) was not added:\n"
                        + sentence(of: error).split(separator: "\n").map { "  " + printable(String($0)) }
                        .joined(separator: "\n")
                )
                throw ExitStatus.badInput
            }
        }

        /// Those that were given and say how a release becomes a model.
        private var optionsOfReleases: [String] {
            let given = [
                ("family", family != nil), ("precision", precision != "stored"), ("pixels", pixels != nil),
                ("ratio", ratio != 1), ("side", side != nil), ("heads", heads != nil),
            ]
            return given.filter(\.1).map(\.0)
        }

        private func staged(for models: ModelInstallation) throws -> StagedModel {
            if paths.count == 1, ModelInstallation.isModel(paths[0]), !link {
                let unfit = optionsOfReleases.map { "--\($0) is for releases; \(paths[0]) is copied as it is" }
                guard unfit.isEmpty else { throw ModelInstallation.Refusal(problems: unfit) }
                return try models.stage(paths[0], name: name)
            }
            let known = ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
            let meant = family.flatMap(ModelFamily.init(rawValue:))
            let precision = CheckpointConversion.Precision(rawValue: self.precision)
            let problems = [
                family == nil || meant != nil ? nil : "there is no family \(family!); known are \(known)",
                precision == nil ? "\(self.precision) is no precision; stored, bf16, f32 and int8 are" : nil,
                link && (precision ?? .stored) != .stored
                    ? "--link leaves the weights as they are, which --precision would change: say one of both" : nil,
            ].compactMap { $0 }
            guard problems.isEmpty, let precision else { throw ModelInstallation.Refusal(problems: problems) }
            var wishes = ReleaseWishes()
            (wishes.pixels, wishes.ratio, wishes.side, wishes.heads) = (pixels, ratio, side, heads)
            wishes.family = meant
            return try models.stage(release: paths, name: name, wishes: wishes, links: link, precision: precision)
        }
    }
}

extension ModelFolder {
    /// What is said of a release that is measured by the shipped encoders until somebody names others.
    fileprivate var encoderWarnings: [String] {
        guard ReleaseRecord(in: folder) != nil, let encoders = description?.encoders,
            encoders.clip.hasPrefix("pocket-") || encoders.dino.hasPrefix("pocket-")
        else { return [] }
        return [
            """
            what it learns is measured by \(encoders.clip) and \(encoders.dino), which know painted pictures alone and \
            no photographs; docs/models.md says how it is measured by others
            """
        ]
    }
}
