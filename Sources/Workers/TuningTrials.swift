import Backbones
import Evaluation
import Foundation
import Images
import LittleWorld
import Personalization

/// How ARBooth's learning rate and the weight of its distillation are chosen: subjects are learned under each choice, and what was
/// learned is held against pictures of the same subjects in places that no reference shows.
///
/// The subjects here are kept apart: figures that are reported elsewhere come from other individuals (`firstSubject`).
package struct TuningTrials {
    /// One choice, over all subjects. Cross-entropies are in nats per bit; less is better.
    package struct Row: Codable, Sendable {
        let learningRate: Float
        let distillationWeight: Float
        /// Of unseen photographs of the subject, given its name and the place.
        let unseen: Float
        /// What the untuned model makes of the same photographs, given the class and the place.
        let unseenUntuned: Float
        /// By how much other individuals of the class surprise the model more than before, given the class alone: what was forgotten.
        let drift: Float
        /// Shares of generated pictures in which the judge sees the subject's class, its colour, and the place asked for.
        let `class`, colour, context: Double
        let seconds: Double
    }

    package static let firstSubject = 100
    private static let places: [Context] = [.jungle, .mountain, .water, .desert, .nightCity, .beach, .snow, .grass]

    private let directory: String
    private let judge: PictureJudge
    private let subjects: [Subject]
    private let iterations: Int

    package init(model: String, judge: String, subjects: Int, iterations: Int) throws {
        directory = model
        self.judge = try PictureJudge(directory: judge)
        let kinds: [SubjectClass] = [.cat, .teapot, .robot, .bird, .car, .backpack, .bear, .mushroom]
        self.subjects = (0..<subjects).map { Subject.heldOut(kinds[$0 % kinds.count], index: TuningTrials.firstSubject + $0) }
        self.iterations = iterations
    }

    /// Learns every subject under one choice and measures.
    package func row(learningRate: Float, distillationWeight: Float) throws -> Row {
        var options = ARBoothOptions.pocket
        options.iterations = iterations
        options.learningRate = learningRate
        options.distillationWeight = distillationWeight
        options.distillation = distillationWeight > 0
        let start = Date(), trials = try subjects.map { try Trial($0, directory: directory, options: options, judge: judge) }
        func mean(_ value: (Trial) -> Float) -> Float { trials.reduce(0) { $0 + value($1) } / Float(trials.count) }
        let judgement = Judgement(trials.flatMap(\.verdicts), truths: trials.flatMap(\.truths))
        return Row(
            learningRate: learningRate, distillationWeight: distillationWeight, unseen: mean(\.unseen), unseenUntuned: mean(\.unseenUntuned),
            drift: mean(\.drift), class: judgement.accuracy(.subjectClass) ?? 0, colour: judgement.accuracy(.colour) ?? 0,
            context: judgement.accuracy(.context) ?? 0, seconds: Date().timeIntervalSince(start) / Double(trials.count))
    }

    /// One subject learned and measured.
    private struct Trial {
        let unseen, unseenUntuned, drift: Float
        let verdicts, truths: [TraitLabels]

        init(_ subject: Subject, directory: String, options: ARBoothOptions, judge: PictureJudge) throws {
            let model = try InfinityModel(directory: directory), size = model.configuration.pictureSize, className = subject.kind.name
            let photographs = subject.photographs(in: TuningTrials.places, first: 1000)
            let others = (0..<8).flatMap { Subject.training(subject.kind, index: $0).photographs(in: [.plain, .grass], first: 2000) }
            let untuned = try PersonalizedModel(model: model, adapters: [:], modelDigest: "")
            func prompts(_ name: String, _ scenes: [Scene]) -> [String] { scenes.map { "a photo of a \(name) \($0.context.name)" } }
            func surprise(_ model: PersonalizedModel, _ name: String, _ scenes: [Scene]) -> Float {
                model.crossEntropy(of: scenes.painted(size: size), prompts: prompts(name, scenes))
            }
            unseenUntuned = surprise(untuned, className, photographs)
            let before = surprise(untuned, className, others)

            let references = subject.references(count: 4).painted(size: size)
            let training = try ARBoothTraining(
                model: model, subject: .init(name: "it", className: className, references: references), options: options, seed: 1)
            while training.step < options.iterations { _ = training.advance() }
            let adapter = try training.adapter(modelDigest: "")
            let tuned = try PersonalizedModel(model: model, adapters: ["it": adapter], modelDigest: "")
            unseen = surprise(tuned, "<it> \(className)", photographs)
            drift = surprise(tuned, className, others) - before
            let asked = photographs + photographs
            verdicts = judge.verdicts(tuned.generate(prompts("<it> \(className)", asked), seeds: asked.indices.map { UInt64($0) }))
            truths = asked.map { TraitLabels($0) }
        }
    }
}
