import Engine
import Images
import LittleWorld

/// Photos of individuals that training never sees, several of each, in different places.
struct HeldOutIndividuals {
    let scenes: [Scene]
    private let photosEach: Int

    /// Classes take turns.
    init(count: Int, photosEach: Int) {
        let kinds = SubjectClass.allCases
        self.photosEach = photosEach
        scenes = (0..<count).flatMap {
            Subject.heldOut(kinds[$0 % kinds.count], index: $0 / kinds.count).references(count: photosEach)
        }
    }

    /// Which individual a photo shows.
    func individual(_ photo: Int) -> Int { photo / photosEach }

    func painted(size: Int) -> [Picture] { scenes.painted(size: size) }
}
