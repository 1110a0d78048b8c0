import Jobs

/// What a slot is for: a drawing of seconds must not wait for a training of minutes, so either has its own.
package enum SlotKind: Sendable, CaseIterable {
    case training, drawing

    /// The slot a job takes; nil where it needs no engine.
    init?(_ kind: JobKind) {
        switch kind {
        case .personalize, .evaluate: self = .training
        case .generate, .compose: self = .drawing
        case .probe: return nil
        }
    }

    /// The kinds of job that take it.
    package var kinds: [JobKind] { JobKind.allCases.filter { SlotKind($0) == self } }
}

extension Settings {
    /// How many of them there are.
    func slots(_ kind: SlotKind) -> Int { kind == .training ? trainingSlots : drawingSlots }

    /// How many jobs run at a time.
    package var slots: Int { trainingSlots + drawingSlots }

    /// How nice an engine is: a drawing goes before a training that runs beside it, and both go behind the daemon.
    func niceness(of kind: JobKind) -> Int {
        SlotKind(kind) == .drawing ? min(drawingNice, engineNice) : engineNice
    }
}
