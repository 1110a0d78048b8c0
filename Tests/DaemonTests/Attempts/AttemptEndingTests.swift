import Jobs
import Testing

@testable import Daemon

@Suite struct AttemptEndingTests {
    let ended = EngineExit(cause: .status(0), peakMemoryBytes: 1, processorSeconds: 1)
    let killed = EngineExit(cause: .signal(9), peakMemoryBytes: 1, processorSeconds: 1)
    private let done = EngineEvent.Done(result: ["pictures": 2], seconds: 1, peakMemoryBytes: 1)
    private let failed = EngineEvent.Failed(code: "input.image", consequence: .rejected, message: "it is no picture")

    private var everyWord: [FinalEvent?] { [.done(done), .interrupted, .failed(failed), nil] }

    @Test func aLostClaimWritesNothingWhateverWasSaid() {
        for said in everyWord {
            #expect(AttemptEnding.decide(reported: said, asked: .lostClaim, exit: ended) == .lost)
        }
    }

    @Test func aWordSpokenBeforeTheStopCounts() {
        #expect(AttemptEnding.decide(reported: .done(done), asked: .draining, exit: ended) == .completed(done))
        #expect(AttemptEnding.decide(reported: .failed(failed), asked: .draining, exit: ended) == .failed(failed))
    }

    @Test func aCancelledJobNeitherFailsNorCompletes() {
        for said in everyWord {
            #expect(AttemptEnding.decide(reported: said, asked: .cancelled, exit: killed) == .cancelled)
        }
    }

    @Test func onlyADrainInterruptsWithoutCharge() {
        guard case .interrupted = AttemptEnding.decide(reported: .interrupted, asked: .draining, exit: ended) else {
            return #expect(Bool(false))
        }
        guard case .interrupted = AttemptEnding.decide(reported: nil, asked: .draining, exit: killed) else {
            return #expect(Bool(false))
        }
        guard
            case .crashed("engine.interrupted", _) = AttemptEnding.decide(
                reported: .interrupted, asked: nil, exit: ended)
        else { return #expect(Bool(false)) }
    }

    @Test func silenceIsACrashThatNamesTheSignal() {
        #expect(
            AttemptEnding.decide(reported: nil, asked: nil, exit: killed)
                == .crashed(code: "engine.crash", message: "the engine ended without a result: signal 9 (SIGKILL)"))
        guard
            case .crashed("engine.protocol", _) = AttemptEnding.decide(
                reported: .done(done), asked: .protocolViolation("x"), exit: ended)
        else { return #expect(Bool(false)) }
        guard
            case .crashed("engine.hang", _) = AttemptEnding.decide(
                reported: nil, asked: .silence(seconds: 9), exit: killed)
        else { return #expect(Bool(false)) }
        guard
            case .crashed("engine.memory", _) = AttemptEnding.decide(
                reported: nil, asked: .memory(limitMiB: 9), exit: killed)
        else { return #expect(Bool(false)) }
    }

    @Test func anEndingIsToldInWords() {
        #expect("\(AttemptEnding.crashed(code: "engine.hang", message: "mute"))" == "crashed: engine.hang: mute")
        #expect("\(AttemptEnding.completed(done))" == "completed")
    }
}
