import Foundation
import Testing

/// The laws of imports.
@Suite(.enabled(if: PackageDescription.swift != nil, "swift is not in PATH: the package's targets are not known"))
struct ArchitectureTests {
    private let package: PackageDescription

    init() throws { package = try PackageDescription.shared.get() }

    private func foundation(of names: String...) -> Set<String> {
        names.reduce(into: []) { $0.formUnion(package.foundation(of: $1)) }
    }

    @Test func jobsStandOnNothingOfOurs() {
        #expect(package.targets["Jobs"]?.dependencies == [])
    }

    @Test func theEngineKnowsNoDatabaseAndNoBroker() {
        let engine = foundation(of: "atelier-engine", "atelier-lab")
        #expect(engine.isSuperset(of: ["Engine", "Backbones", "Tensors"]))
        #expect(engine.isDisjoint(with: ["Store", "Broker", "Daemon", "Web", "CPostgreSQL", "CRabbitMQ"]))
    }

    @Test func theEngineDoesNotStandOnTheLaboratory() {
        #expect(foundation(of: "atelier-lab").contains("Lab"))
        #expect(!foundation(of: "atelier-engine").contains("Lab"))
    }

    @Test func storeAndBrokerDoNotKnowEachOther() {
        #expect(!foundation(of: "Store").contains("Broker"))
        #expect(!foundation(of: "Broker").contains("Store"))
    }

    @Test func theControlPlaneTouchesNoTensor() {
        let control = foundation(of: "atelierd", "atelierctl", "atelier-web")
        #expect(control.isSuperset(of: ["Daemon", "Web", "Store", "Broker"]))
        #expect(
            control.isDisjoint(with: [
                "Tensors", "Images", "Autograd", "Layers", "Backbones", "Engine", "Lab", "COpenBLAS", "CKernels",
                "CPNG",
            ]))
    }

    @Test func theEngineAndTheControlPlaneShareLittle() {
        // Jobs, the digests by which both name files, which models there are, and the form of weights, which one reads
        // and the other only verifies.
        #expect(
            foundation(of: "atelier-engine").intersection(foundation(of: "atelierd", "atelierctl")) == [
                "Jobs", "Hashing", "COpenSSL", "Checkpoints", "Catalogue",
            ])
    }

    /// A job is decoded once, into `JobSpec`: nobody looks into its JSON afterwards.
    @Test func nobodyAsksASpecificationForItsMembersByName() throws {
        let sources = PackageDescription.root + "/Sources"
        let files = (FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(".swift") }
        #expect(files.count > 200)
        for file in files {
            let lines = try String(contentsOfFile: sources + "/" + file, encoding: .utf8).split(separator: "\n")
            for line in lines where line.contains(/\bspec("\])?\??\[/) { Issue.record("\(file): \(line)") }
        }
    }

    @Test func onlyTheDaemonAndThePagesJoinStoreAndBroker() {
        let shipped = package.names("regular").filter { package.targets[$0]?.folder.hasPrefix("Sources/") == true }
        let joining = shipped.filter { package.foundation(of: $0).isSuperset(of: ["Store", "Broker"]) }
        #expect(joining == ["Daemon", "Web"])
    }

    @Test func everySystemLibraryHasOneImporter() {
        for library in package.names("system") {
            let importers = package.targets.filter { $0.value.dependencies.contains(library) }.keys
            #expect(importers.count == 1, "\(library) is imported by \(importers.sorted())")
        }
    }

    @Test func nothingButTestsStandsOnAnExecutableOrATest() {
        let tops = package.names("executable").union(package.names("test"))
        for name in package.targets.keys where package.targets[name]?.type != "test" {
            #expect(package.foundation(of: name).isDisjoint(with: tops), "\(name) stands on a program or a test")
        }
    }

    /// SwiftPM compiles an import of a target that was only built for another one's sake, and does not compile it again
    /// when that changes.
    @Test func everyImportIsDeclared() throws {
        for (name, target) in package.targets {
            let undeclared = try package.imports(of: name).subtracting(target.dependencies)
            #expect(
                undeclared.isEmpty,
                "Package.swift: \(name) imports \(undeclared.sorted().joined(separator: ", ")) without depending on it")
        }
    }
}
