import Catalogue
import Jobs
import Testing

/// The sizes that are cut from the shapes Infinity was trained with.
struct InfinityShapeTests {
    private let model = ModelDescription(
        family: .infinity, name: "infinity",
        pictures: InfinitySchedules.lasts(upTo: "1M").map { .init(width: 16 * $0.width, height: 16 * $0.height) },
        digest: "")

    @Test func whateverLiesBetweenOneToThreeAndThreeToOneHasAShape() {
        for side in 100...300 {
            for size in [ModelDescription.Size(width: side, height: 300), .init(width: 300, height: side)] {
                #expect(model.shape(of: size) != nil, "\(size)")
            }
        }
    }

    @Test(
        arguments: [
            ("512x768", "672x1008"), ("512x512", "512x512"), ("640x480", "960x720"), ("1280x720", "1344x768"),
            ("200x300", "224x336"), ("1920x1080", nil), ("1000x1100", nil), ("300x80", nil),
        ] as [(String, String?)])
    func theShapeIsTheNearest(size: String, shape: String?) throws {
        let asked = try #require(ModelDescription.Size(text: size))
        #expect(model.shape(of: asked)?.text == shape)
    }
}
