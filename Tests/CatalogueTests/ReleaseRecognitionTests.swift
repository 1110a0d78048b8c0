import Catalogue
import Checkpoints
import DaemonTesting
import FileTesting
import Foundation
import Jobs
import ServerTesting
import Testing

private let releases = sharedFolder("releases")

/// Releases are known by the names and shapes in their files.
@Suite(.enabled(if: releases != nil, "the tiny releases (../shared/releases) are not on this machine"))
struct ReleaseRecognitionTests {
    private func problems(_ paths: String...) -> [String] {
        do throws(UnrecognizedRelease) {
            _ = try ReleaseScan(paths.map { "\(releases!)/\($0)" }).recognized()
            return []
        } catch { return error.problems }
    }

    @Test func allThatIsMissingIsSaidAtOnce() {
        let said = problems("infinity-2b/infinity_2b_reg.pth")
        #expect(said.count == 2)
        #expect(said.contains { $0.contains("its VAE is not here: infinity_vae_d32reg.pth") }, "\(said)")
        #expect(said.contains { $0.contains("its text encoder is not here") }, "\(said)")
    }

    @Test func aPartAloneIsToldForWhatItIs() {
        #expect(problems("infinity-2b/infinity_vae_d32reg.pth").contains { $0.contains("is a VAE of Infinity") })
        #expect(problems("lumina-mgpt-7b-768/tokenizer/vqgan.ckpt").contains { $0.contains("VQGAN of Chameleon") })
        #expect(problems("lpips/alex.pth").contains { $0.contains("alexnet-owt-7be5be79.pth") })
        #expect(problems("no-such-folder").contains { $0.contains("no such file or folder") })
    }

    @Test func aTextEncoderOfAnotherWidthDoesNotBelong() {
        let said = problems(
            "infinity-2b/infinity_2b_reg.pth", "infinity-2b/infinity_vae_d32reg.pth", "sd3-medium/text_encoder_3")
        #expect(said.count == 1 && said[0].contains("text encoder is not here"), "\(said)")
        #expect(said[0].contains("text_encoder_3, of width 64, does not belong"), "\(said)")
    }

    @Test(arguments: [
        ("infinity-2b", ModelFamily.infinity), ("lumina-mgpt-7b-768", .chameleon),
        ("llamagen-t2i-xl", .llamagen), ("sdxl", .diffusion), ("sd35-large", .diffusion), ("flux1-dev", .diffusion),
        ("clip-vit-base-patch32/bin", .clip),
        ("dino-vits16/dino_deitsmall16_pretrain.pth", .dino), ("lpips", .lpips),
    ])
    func aReleaseBecomesAModelThatIsWhole(release: String, family: ModelFamily) throws {
        for links in [false, true] {
            let models = try TemporaryFolder()
            let added = try ModelInstallation(directory: models.path).add(
                release: ["\(releases!)/\(release)"], name: "m", links: links)
            #expect(added.model.description?.family == family && added.model.verify() == [])
            #expect(ReleaseRecord(in: added.model.folder)?.isLinked == links)
            #expect(added.model.description?.sampling["top_p"] == (family == .infinity ? 0.97 : nil))
        }
    }

    @Test(arguments: [false, true])
    func aProblemOfAReleaseNamesItsOwnFile(links: Bool) throws {
        let models = try TemporaryFolder()
        let staged = try ModelInstallation(directory: models.path).stage(
            release: ["\(releases!)/infinity-2b"], name: "m", links: links)
        let sources = try #require(ReleaseRecord(in: staged.folder)).sources
        #expect(staged.naming(sourceOf: "\(staged.folder): is wrong") == "m: is wrong")
        for name in try FileManager.default.contentsOfDirectory(atPath: staged.folder) {
            let said = staged.naming(sourceOf: "\(staged.folder)/\(name): is wrong")
            let source = sources[name] ?? sources[(name as NSString).deletingPathExtension]
            #expect(!said.contains(staged.folder), "\(said)")
            if let source { #expect(said == "\(source): is wrong", "\(said)") }
        }
    }

    /// A part that was named and is not there, or files of two models, are a mistake, whatever else is there.
    @Test func whatIsNotMeantIsNotPassedOver() throws {
        let said = problems("infinity-2b", "no-such-file.pth")
        #expect(said.count == 1 && said[0].contains("no-such-file.pth: there is no such file or folder"), "\(said)")
        let two = problems("infinity-2b", "llamagen-t2i-xl")
        #expect(two.count == 1 && two[0].contains("(infinity, llamagen); --family says which"), "\(two)")
        var wishes = ReleaseWishes()
        wishes.family = .llamagen
        let paths = ["infinity-2b", "llamagen-t2i-xl"].map { "\(releases!)/\($0)" }
        #expect(try ReleaseScan(paths).recognized(wishes).family == .llamagen)
    }

    @Test(arguments: [
        ("sdxl", "--side 33"), ("lumina-mgpt-7b-768", "--side 100"), ("sdxl", "--pixels is Infinity's"),
        ("infinity-2b", "--side is"), ("llamagen-t2i-xl", "--side 33"), ("sd3-medium", "--side 400"),
    ])
    func whatAReleaseCannotHaveIsRefused(release: String, said: String) {
        var wishes = ReleaseWishes()
        if said.hasPrefix("--pixels") {
            wishes.pixels = "0.06M"
        } else {
            wishes.side = said.split(separator: " ").last.flatMap { Int($0) } ?? 64
        }
        do throws(UnrecognizedRelease) {
            _ = try ReleaseScan(["\(releases!)/\(release)"]).recognized(wishes)
            Issue.record("it was taken")
        } catch { #expect(error.problems.count == 1 && error.problems[0].hasPrefix(said), "\(error.problems)") }
    }

    /// These have as few positions as a picture of such a side; the released ones have more than they draw with.
    @Test(arguments: [("sd3-medium", 384), ("sd35-large", 256)])
    func anMMDiTDrawsNoFurtherThanItsPositions(release: String, side: Int) throws {
        let settings = try ReleaseScan(["\(releases!)/\(release)"]).recognized().configuration
        #expect(settings["pictureSize"]?.integer == side && settings["sides"]?["most"]?.integer == side, "\(settings)")
    }

    @Test func headsThatTheProjectionHasNotAreRefused() {
        var wishes = ReleaseWishes()
        wishes.heads = 7
        do throws(UnrecognizedRelease) {
            _ = try ReleaseScan(["\(releases!)/llamagen-t2i-xl"]).recognized(wishes)
            Issue.record("it was taken")
        } catch { #expect(error.problems.count == 1 && error.problems[0].contains("--heads"), "\(error.problems)") }
    }

    /// Hugging Face's cache: `snapshots/DIGEST` with a folder of its own for the tokenizer in it.
    @Test func aCacheFolderIsLookedThrough() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/models--lumina/snapshots", withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(releases!)/lumina-mgpt-7b-768", toPath: folder.path + "/models--lumina/snapshots/0a1b")
        #expect(try ReleaseScan([folder.path + "/models--lumina"]).recognized().family == .chameleon)
    }

    /// What a release is described as once it is among the models.
    private func added(_ release: String) throws -> ModelDescription {
        let models = try TemporaryFolder()
        let added = try ModelInstallation(directory: models.path).add(
            release: ["\(releases!)/\(release)"], name: "m")
        return try #require(added.model.description)
    }

    /// The pocket models' rates would make a model of billions of numbers forget what it knows.
    @Test(arguments: [
        ("infinity-2b", "arbooth", 6e-3 / 256), ("infinity-2b", "lora", 1e-4), ("lumina-mgpt-7b-768", "lora", 2e-5),
        ("llamagen-t2i-xl", "proxy-tuning", 1e-4), ("sdxl", "lora", 1e-4), ("sd3-medium", "lora", 4e-4),
        ("flux1-dev", "lora", 1e-4),
    ])
    func aReleasedModelHasItsAuthorsRates(release: String, method: String, rate: Double) throws {
        let training = try #require(try added(release).training)
        #expect(training[method]?["learning_rate"]?.double == rate, "\(training)")
        #expect(training["supervisor"]?["supervisor_optimizer"] == (release == "flux1-dev" ? "prodigy" : nil))
    }

    /// At the authors' rates the pocket models' steps would teach them next to nothing.
    @Test(arguments: [
        ("lumina-mgpt-7b-768", 4, 2500), ("llamagen-t2i-xl", 8, 1250), ("sdxl", 4, 500), ("sd35-large", 4, 500),
        ("flux1-dev", 4, 500),
    ])
    func aReleasedModelLearnsAsLongAsItsAuthorsHadIt(release: String, batch: Int, steps: Int) throws {
        let description = try added(release)
        let training = try #require(description.training)
        for method in ["lora", "proxy-tuning"] {
            #expect(training[method]?["batch"] == .integer(batch), "\(training)")
            #expect(training[method]?["iterations"] == .integer(steps), "\(training)")
        }
        let teaching = training["supervisor"]
        #expect((teaching != nil) == (description.family == .diffusion))
        #expect(teaching == nil || teaching?["supervisor_iterations"] == .integer(steps), "\(training)")
        #expect(teaching == nil || teaching?["supervisor_batch"] == .integer(batch), "\(training)")
    }

    @Test func aVAEOfTheSameShapesAndAnotherNameIsWarnedOf() throws {
        let folder = try TemporaryFolder()
        for (name, file) in [
            ("infinity_2b_reg.pth", "infinity_2b_reg.pth"), ("infinity_vae_d32reg.pth", "infinity_vae_d32.pth"),
        ] {
            try FileManager.default.copyItem(
                atPath: "\(releases!)/infinity-2b/\(name)", toPath: folder.path + "/" + file)
        }
        let found = try ReleaseScan([folder.path, "\(releases!)/infinity-2b/flan-t5-xl"]).recognized()
        #expect(found.warnings.contains { $0.contains("infinity_vae_d32reg.pth") })
    }

    /// No prompt of a model names what ARBooth's rows stand for.
    @Test func aFineTuneOfARBoothsIsSaidToBeAConcept() throws {
        let tuned = "\(releases!)/infinity-2b-finetunes/txt_emb-giter000K-ep1-iter500-last.pth"
        let others = ["infinity_vae_d32reg.pth", "flan-t5-xl"].map { "\(releases!)/infinity-2b/\($0)" }
        let warnings = try ReleaseScan([tuned] + others).recognized().warnings
        #expect(warnings.count == 1 && warnings[0].contains("`atelierctl concepts import`"), "\(warnings)")
    }

    @Test func ofTwoVAEsThatFitTheOneOfTheReleaseIsTaken() throws {
        let folder = try TemporaryFolder()
        for (name, file) in [
            ("infinity_2b_reg.pth", "infinity_2b_reg.pth"), ("infinity_vae_d32reg.pth", "infinity_vae_d32.pth"),
            ("infinity_vae_d32reg.pth", "infinity_vae_d32reg.pth"),
        ] {
            try FileManager.default.copyItem(
                atPath: "\(releases!)/infinity-2b/\(name)", toPath: folder.path + "/" + file)
        }
        let found = try ReleaseScan([folder.path, "\(releases!)/infinity-2b/flan-t5-xl"]).recognized()
        #expect(found.parts.first { $0.stem == "tokenizer" }?.piece.name == "infinity_vae_d32reg.pth")
        let said = ["\(folder.path)/infinity_vae_d32.pth: is a VAE of Infinity, and is not used"]
        #expect(found.warnings == said, "\(found.warnings)")
    }

    @Test func whatGoesIntoNoModelIsNamed() throws {
        let clip = "\(releases!)/clip-vit-base-patch32/bin"
        let text = "\(releases!)/sd3-medium/text_encoder_3"
        let adapter = "\(releases!)/adapters-sdxl/u1-kohya.safetensors"
        let warnings = try ReleaseScan(["\(releases!)/infinity-2b", clip, text, adapter]).recognized().warnings
        #expect(warnings.contains("\(clip): is a CLIP, and is not used"), "\(warnings)")
        #expect(warnings.contains("\(text): is a T5 encoder, and is not used"), "\(warnings)")
        let said = "\(adapter): is not used: it is a low-rank adapter: atelierctl concepts import"
        // The reference's results lie beside the release's own files.
        let others = warnings.filter { !$0.contains("/expected.safetensors: ") }
        #expect(warnings.contains(said) && others.count == 3, "\(warnings)")
    }

    @Test(arguments: [
        ("clip-vit-base-patch32/bin", ModelFamily.infinity, "the files are CLIP, not infinity"),
        ("sdxl", .infinity, "the files are Stable Diffusion XL, not infinity"),
        ("infinity-2b/infinity_2b_reg.pth", .clip, "the files are infinity, not clip"),
    ])
    func filesOfAnotherFamilyThanWishedAreRefused(release: String, family: ModelFamily, said: String) {
        var wishes = ReleaseWishes()
        wishes.family = family
        do throws(UnrecognizedRelease) {
            _ = try ReleaseScan(["\(releases!)/\(release)"]).recognized(wishes)
            Issue.record("it was taken")
        } catch { #expect(error.problems == [said]) }
    }

    @Test func ofTwoEncodersTheFamilySaysWhichIsMeant() throws {
        let paths = ["clip-vit-base-patch32/bin", "dino-vits16/dino-vits16"].map { "\(releases!)/\($0)" }
        var wishes = ReleaseWishes()
        for family in [ModelFamily.clip, .dino] {
            wishes.family = family
            let found = try ReleaseScan(paths).recognized(wishes)
            #expect(found.family == family && found.warnings.count == 1, "\(found.warnings)")
        }
    }

    @Test(arguments: [0, -1, Double.nan, Double.infinity, 100, 3.1])
    func aRatioThatNoPictureHasIsRefused(ratio: Double) {
        var wishes = ReleaseWishes()
        wishes.ratio = ratio
        let error = #expect(throws: UnrecognizedRelease.self) {
            try ReleaseScan(["\(releases!)/infinity-2b"]).recognized(wishes)
        }
        #expect(error?.problems == ["--ratio \(ratio): allowed is 0.333 (wide) to 3 (high)"])
    }

    @Test(arguments: [
        ("llamagen-t2i-xl", 1_600_000, "allowed is 1 to 4096"), ("llamagen-t2i-xl", Int.max, "allowed is 1 to 4096"),
        ("lumina-mgpt-7b-768", 0, "allowed is 1 to 4096"), ("clip-vit-base-patch32/bin", 64, "for models that draw"),
    ])
    func aSideOutOfRangeIsRefused(release: String, side: Int, said: String) {
        var wishes = ReleaseWishes()
        wishes.side = side
        let error = #expect(throws: UnrecognizedRelease.self) {
            try ReleaseScan(["\(releases!)/\(release)"]).recognized(wishes)
        }
        #expect(error?.problems.count == 1 && error?.problems[0].contains(said) == true, "\(error?.problems ?? [])")
    }

    @Test(arguments: [
        ("lumina-mgpt-7b-768", "--heads is not needed: the files say"), ("sdxl", "--heads is for Infinity"),
        ("clip-vit-base-patch32/bin", "--heads is for Infinity"),
    ])
    func headsThatTheFilesTellAreRefused(release: String, said: String) {
        var wishes = ReleaseWishes()
        wishes.heads = 7
        let error = #expect(throws: UnrecognizedRelease.self) {
            try ReleaseScan(["\(releases!)/\(release)"]).recognized(wishes)
        }
        #expect(error?.problems.count == 1 && error?.problems[0].contains(said) == true, "\(error?.problems ?? [])")
    }

    /// In Hugging Face's cache a folder is called by a digest.
    @Test func aModelOfTheCacheIsCalledLikeItsRepository() throws {
        let folder = try TemporaryFolder()
        let digest = String(repeating: "0a", count: 20)
        let snapshots = folder.path + "/models--openai--clip-vit-base-patch32/snapshots"
        try FileManager.default.createDirectory(atPath: snapshots, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(releases!)/clip-vit-base-patch32/bin", toPath: "\(snapshots)/\(digest)")
        let models = try TemporaryFolder()
        let added = try ModelInstallation(directory: models.path).add(release: ["\(snapshots)/\(digest)"])
        #expect(added.model.name == "clip-vit-base-patch32")
    }

    @Test func aLongListOfProblemsEnds() {
        let said = ModelInstallation.Refusal(problems: (1...20).map { "problem \($0)" }).description
        #expect(said.hasSuffix("problem 16\n… and 4 more"), "\(said)")
    }

    /// Nothing is lost unless it is asked for.
    @Test func convertedWeightsAreThoseOfTheRelease() throws {
        let folder = try TemporaryFolder()
        let source = try Checkpoint.open("\(releases!)/infinity-2b/infinity_2b_reg.pth")
        try CheckpointConversion(source, precision: .stored).write(folder.path + "/a.safetensors")
        let copy = try Checkpoint.open(folder.path + "/a.safetensors")
        #expect(copy.names == source.names)
        for name in copy.names {
            #expect(try copy.tensor(name).floats() == source.tensor(name).floats(), "\(name)")
        }
        try CheckpointConversion(source, precision: .bf16).write(folder.path + "/b.safetensors")
        let half = try Checkpoint.open(folder.path + "/b.safetensors").tensor("head.weight")
        #expect(half.type == .bfloat16)
        let exact = try source.tensor("head.weight").floats()
        #expect(zip(try half.floats(), exact).allSatisfy { abs($0 - $1) <= abs($1) / 256 })
    }
}
