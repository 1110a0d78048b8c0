import ComputeTesting
import Evaluation
import LittleWorld
import Testing

@testable import Lab

@Suite(.computing) struct StyleClassifierTests {
    /// With a fifth of the pictures that figures come from; the classifier itself has not learnt these styles.
    @Test func stylesThatTrainingNeverShowsAreTold() throws {
        let classifier = try AttributeClassifier(directory: shippedClassifier)
        let styles = StyleClassifier(classifier, picturesEach: 40)
        let accuracy = styles.accuracy(picturesEach: 20)
        #expect(accuracy.pictures == 220 && accuracy.all > 0.85 && accuracy.heldOut > 0.8, "\(accuracy)")
        let subject = Subject.heldOut(.dog, index: 7)
        let pictures = (0..<10).map { subject.scene(in: .beach, style: .woodcut, number: $0).paint(size: 64) }
        let verdicts = styles.verdicts(pictures)
        #expect(verdicts.count { $0[.style] == Style.woodcut.rawValue } > 7)
        let others = classifier.verdicts(pictures)
        #expect(zip(verdicts, others).allSatisfy { $0[.context] == $1[.context] }, "what else it sees stays")
    }
}
