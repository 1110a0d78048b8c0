import Foundation
import Testing

@Suite struct PortabilityTests {
    /// ops/portability compares processors by what this program prints: a kernel it does not call is not compared.
    @Test func everyKernelIsTriedOnOtherProcessors() throws {
        let header = try contents("Sources/CKernels/include/kernels.h")
        let program = try contents("Tests/Portability/kernels.c")
        let declared = Set(header.matches(of: /\b(atelier_\w+)\(/).map { String($0.1) })
        #expect(declared.contains("atelier_has_bfloat16"))
        for kernel in declared.sorted() {
            #expect(program.contains("\(kernel)("), "Tests/Portability/kernels.c does not call \(kernel)")
        }
    }

    private func contents(_ path: String) throws -> String {
        try String(contentsOfFile: PackageDescription.root + "/" + path, encoding: .utf8)
    }
}
