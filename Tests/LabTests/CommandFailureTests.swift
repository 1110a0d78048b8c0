import Checkpoints
import FileTesting
import Foundation
import Testing

@testable import Lab

/// What commands say of files that cannot be written.
struct CommandFailureTests {
    private static let remedy = "; make room on its disk and start again, or give another place"

    @Test func ofAFullDiskTheFileAndTheRemedyAreSaid() throws {
        let folder = try TestFolder()
        let path = folder.path + "/cells.jsonl"
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/full")
        let key = TableCell.Key(variant: "coar", subject: 0, seed: 0, inputs: "")
        let error = try #require(throws: CocoaError.self) {
            try TableFile(folder: folder.path).add(TableCell(key: key, className: "dog", scores: [:]))
        }
        #expect(CommandFailure(error)?.description == path + ": No space left on device" + Self.remedy)
        let checkpoint = CheckpointError(path: "a", problem: "it could not be written: x", errorNumber: EDQUOT)
        #expect(CommandFailure(checkpoint)?.description == "a: it could not be written: x" + Self.remedy)
    }

    @Test func ofOtherFaultsThereIsNoRoomToMake() {
        let refused = CommandFailure(CocoaError.unwritable("/x", EACCES))
        #expect(refused?.description == "/x: Permission denied")
        #expect(CommandFailure(CheckpointError(path: "a", problem: "it is empty"))?.description == "a: it is empty")
        #expect(CommandFailure(Own()) == nil, "it says itself what it is")
    }

    private struct Own: Error {}
}
