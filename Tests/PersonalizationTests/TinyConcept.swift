import Jobs
import LittleWorld
import Personalization

func tinyConcept(_ name: String = "rex", role: ConceptRole = .subject) -> Concept {
    let references = Subject.heldOut(.dog, index: 0).references(count: role == .subject ? 4 : 1).map {
        $0.paint(size: 16)
    }
    return Concept(name: name, role: role, className: "dog", references: references)
}
