import Autograd
import Backbones
import ComputeTesting
import Foundation
import Images
import Layers
import LittleWorld
import ModelTesting
import Randomness
import Tensors
import Testing

@testable import Engine
@testable import Lab

private let dino = tinyDINO
private let settings = SelfDistillation(
    prototypes: 16, hidden: 24, bottleneck: 12, localCrops: 2, globalSide: 16, localSide: 8)

private func options(_ folder: String = "", steps: Int, seconds: Double? = nil) -> PretrainingOptions {
    PretrainingOptions(
        folder: folder, steps: steps, batch: 6, learningRate: 3e-3, seed: 4, reportEvery: 100, seconds: seconds)
}

private func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("atelier-encoders-\(UUID().uuidString)")
        .path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

@Suite(.computing) struct EncoderTrainingTests {
    /// One batch again and again: a training that cannot learn that by heart learns nothing.
    private func losses(of stage: any PretrainingStage, steps: Int) -> [Float] {
        stage.optimizer.learningRate = 3e-3
        return (0..<steps).map { _ in
            let losses = stage.accumulate(step: 0)
            stage.optimizer.update()
            return losses[0].value
        }
    }

    @Test func picturesAndCaptionsFindEachOther() throws {
        let (encoder, weights) = try tinyCLIP()
        let stage = CLIPTraining(encoder: encoder, weights: weights, options: options(steps: 60))
        let losses = losses(of: stage, steps: 60)
        #expect(losses[0] > 1, "six of six must be guessed at first: \(losses[0])")
        #expect(losses.last! < losses[0] / 3, "\(losses[0]) → \(losses.last!)")
        #expect(stage.accumulate(step: 0)[1].value > 0.8)
    }

    @Test func theStudentComesToAnswerAsTheTeacher() {
        let losses = losses(of: DINOTraining(dino, settings, options: options(steps: 60)), steps: 40)
        #expect(losses.last! < losses[0] * 0.7, "\(losses[0]) → \(losses.last!)")
    }

    @Test func theTeacherFollowsByItsMomentum() {
        let student = DINONetwork(dino, settings, seed: 1)
        let teacher = DINOTeacher(DINONetwork(dino, settings, seed: 2), settings)
        let name = "layernorm.weight"
        let start: Float = 3
        teacher.network.weights.byName[name]!.value.fill(start)
        teacher.follow(student, progress: 0)
        #expect(
            abs(
                teacher.network.weights.byName[name]!.value.values[0]
                    - (settings.momentum * start + 1 - settings.momentum)) < 1e-5)
        let before = teacher.network.weights.byName[name]!.value.values
        teacher.follow(student, progress: 1)
        #expect(
            teacher.network.weights.byName[name]!.value.values == before,
            "at the end of training the teacher stands still")
    }

    @Test func theTeachersAnswersAreSharedOutOverThePrototypes() {
        // Every row likes the first column best; the third row likes it least.
        let answers = BalancedAssignment.logarithms(of: Tensor([5, 0, 0, 5, 0, 0, 4, 0, 3], shape: [3, 3]))
        let shares = answers.values.map { exp($0) }
        for row in 0..<3 { #expect(abs(shares[row * 3..<row * 3 + 3].reduce(0, +) - 1) < 1e-5) }
        for column in 0..<3 {
            #expect(abs(shares[column] + shares[3 + column] + shares[6 + column] - 1) < 0.1, "column \(column)")
        }
        // By hand, three rounds of columns and rows.
        #expect(abs(shares[8] - 0.7594) < 1e-3 && abs(shares[0] - 0.4805) < 1e-3 && abs(shares[6] - 0.0707) < 1e-3)
    }

    @Test func farApartLogitsStayFinite() {
        let answers = BalancedAssignment.logarithms(of: Tensor([25, -25, 25, -25], shape: [2, 2]))
        #expect(answers.values.allSatisfy { $0.isFinite })
    }

    @Test func aCompanionIsTheSameIndividualInTheSameStyleElsewhere() {
        let scene = LittleWorld.scene(index: 5, seed: 1, split: .training)
        let other = LittleWorld.companion(of: scene, index: 5, seed: 1)
        #expect(other.subject == scene.subject && other.style == scene.style && other.pose != scene.pose)
        #expect(other == LittleWorld.companion(of: scene, index: 5, seed: 1))
    }

    @Test func aMovedSceneKeepsItsSubjectAndLeavesNothingReserved() {
        let scenes = (0..<40).map { LittleWorld.scene(index: $0, seed: 3, split: .training) }
        for scene in scenes.dropFirst() {
            let moved = scene.moved(to: scenes[0], takingColour: false)
            let painted = scene.moved(to: scenes[0], takingColour: true)
            #expect(
                moved == scene
                    || (moved.subject == scene.subject && moved.context == scenes[0].context
                        && moved.style == scenes[0].style)
            )
            #expect(
                painted == scene
                    || (painted.subject.kind == scene.subject.kind
                        && painted.subject.colour == scenes[0].subject.colour)
            )
            #expect(painted.subject.colour != painted.subject.accent && !painted.subject.isHeldOut)
        }
        #expect(scenes.dropFirst().contains { $0.moved(to: scenes[0], takingColour: true) != $0 })
    }

    @Test func prototypesInAnAnswerAreCounted() {
        #expect(abs(Tensor([50, 0, 0, 0, 0, 0, 50, 0], shape: [2, 4]).prototypesInAnAnswer - 1) < 1e-4)
        #expect(abs(Tensor([50, 50, 0, 0, 0, 0, 50, 50], shape: [2, 4]).prototypesInAnAnswer - 2) < 1e-4)
        #expect(abs(Tensor(zeros: [3, 5]).prototypesInAnAnswer - 5) < 1e-4)
    }

    @Test func aResumedSelfDistillationEndsWithTheSameBytes() throws {
        func bytes(_ folder: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: "\(folder)/dino.checkpoint.safetensors"))
        }
        let straight = try withFolder { folder in
            try PretrainingRun(
                options: options(folder, steps: 3), stage: DINOTraining(dino, settings, options: options(steps: 3))
            ).run()
            return try bytes(folder)
        }
        // No time at all: each start does one step.
        let interrupted = try withFolder { folder in
            for _ in 0..<3 {
                let options = options(folder, steps: 3, seconds: 0)
                try PretrainingRun(options: options, stage: DINOTraining(dino, settings, options: options)).run()
            }
            return try bytes(folder)
        }
        #expect(straight == interrupted)
    }

    @Test func theTeacherIsWhatIsExported() throws {
        let teacher = DINOTeacher(DINONetwork(dino, settings, seed: 2), settings)
        let memory = Dictionary(uniqueKeysWithValues: teacher.memory.map { ($0.name, $0.tensor) })
        let weights = Weights(.checkpoint(DINOTeacher.model(in: memory)))
        let model = DINOModel(dino, weights)
        let pictures = Variable(.example([1, 3, 16, 16]))
        try weights.verify()
        #expect(model.embeddings(pictures).value.values == teacher.network.model.embeddings(pictures).value.values)
    }

    @Test func cropsHaveTheirSizeAndDependOnTheGeneratorAlone() {
        let picture = LittleWorld.scene(index: 3, seed: 1, split: .training).paint(size: 40)
        let crop = CropAugmentation(areas: 0.1...0.4, side: 12)
        func view(_ seed: UInt64) -> Picture {
            var generator = Philox(seed: seed)
            return crop(picture, &generator)
        }
        #expect(view(1).width == 12 && view(1).height == 12)
        #expect(view(1) == view(1))
        #expect(view(1) != view(2))
    }
}
