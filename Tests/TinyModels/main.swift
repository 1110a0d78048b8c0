// Writes models far too small to paint into a folder, under the names of the shipped ones: `tiny-models FOLDER`. For
// ops/chaos, which wants many trainings and no pictures worth looking at.
import Foundation
import ModelTesting

guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: tiny-models FOLDER\n".utf8))
    exit(64)
}
_ = try TinyModels(folder: CommandLine.arguments[1])
