import Foundation
import Testing

@Suite struct PortabilityTests {
    /// ops/portability compares processors by what this program prints: a kernel it does not call is not compared.
    @Test func everyPortableKernelIsTriedOnOtherProcessors() throws {
        let header = try contents("Sources/CKernels/include/kernels.h")
        let program = try contents("Tests/Portability/kernels.c")
        let declared = Set(header.matches(of: /\b(atelier_\w+)\(/).map { String($0.1) })
        // What only processors with AVX512_BF16 have.
        let rounding: Set = [
            "atelier_has_bfloat16", "atelier_multiply_bfloat16", "atelier_attention_bfloat16",
            "atelier_attention_bfloat16_backward", "atelier_convolution_bfloat16",
            "atelier_convolution_bfloat16_weights",
        ]
        #expect(rounding.isSubset(of: declared))
        for kernel in declared.subtracting(rounding).sorted() {
            #expect(program.contains("\(kernel)("), "Tests/Portability/kernels.c does not call \(kernel)")
        }
    }

    private func contents(_ path: String) throws -> String {
        try String(contentsOfFile: PackageDescription.root + "/" + path, encoding: .utf8)
    }
}
