import Glibc

/// A counter-based random number generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
/// 3", SC 2011).
///
/// The n-th number depends on the key, the stream and n alone, so that a run resumed at step n, or a worker that draws
/// for item n, gets exactly what an undisturbed run gets.
package struct Philox: RandomNumberGenerator, Sendable {
    private let key: (UInt32, UInt32)
    private let stream: UInt64
    /// Blocks of four 32-bit numbers drawn so far.
    package private(set) var counter: UInt64 = 0
    private var block: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var remaining = 0

    /// - Parameters:
    ///   - seed: what the user chose.
    ///   - stream: what the numbers are for (a step, a sample, a purpose); streams of one seed are independent.
    package init(seed: UInt64, stream: UInt64 = 0) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.stream = stream
    }

    /// A generator for the part `index` of the purpose `purpose`; mixes both into one stream.
    package init(seed: UInt64, purpose: UInt64, index: UInt64) {
        self.init(seed: seed, stream: purpose &* 0x9E37_79B9_7F4A_7C15 ^ (index &* 0xD1B5_4A32_D192_ED03 &+ purpose))
    }

    /// A seed for each of the parts `indices` of the purpose: the first number of its generator.
    package static func seeds(_ seed: UInt64, purpose: UInt64, _ indices: Range<Int>) -> [UInt64] {
        indices.map { index in
            var generator = Philox(seed: seed, purpose: purpose, index: UInt64(index))
            return generator.next()
        }
    }

    /// The next 32 random bits.
    package mutating func nextUInt32() -> UInt32 {
        if remaining == 0 {
            block = Philox.rounds(counter: counter, stream: stream, key: key)
            counter += 1
            remaining = 4
        }
        remaining -= 1
        switch remaining {
        case 3: return block.0
        case 2: return block.1
        case 1: return block.2
        default: return block.3
        }
    }

    /// 64 random bits: two draws, the first one the low half.
    package mutating func next() -> UInt64 {
        let low = nextUInt32()
        return UInt64(low) | UInt64(nextUInt32()) << 32
    }

    /// Uniform in [0, 1), 24 bits.
    package mutating func uniform() -> Float { Float(nextUInt32() >> 8) * 0x1p-24 }

    /// Standard normal, by the polar form's ancestor (Box and Muller 1958) so that each call draws exactly two numbers.
    package mutating func normal() -> Float {
        let radius = (-2 * log(1 - Double(uniform()))).squareRoot()
        return Float(radius * cos(2 * .pi * Double(uniform())))
    }

    /// Uniform in 0..<bound without bias worth naming (bound < 2³²).
    package mutating func below(_ bound: Int) -> Int { Int((UInt64(nextUInt32()) * UInt64(bound)) >> 32) }

    private static func rounds(
        counter: UInt64, stream: UInt64, key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var c = (
            UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
            UInt32(truncatingIfNeeded: stream),
            UInt32(truncatingIfNeeded: stream >> 32)
        )
        var k = key
        for _ in 0..<10 {
            let a = UInt64(0xD251_1F53) * UInt64(c.0)
            let b = UInt64(0xCD9E_8D57) * UInt64(c.2)
            c = (
                UInt32(truncatingIfNeeded: b >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c.3 ^ k.1, UInt32(truncatingIfNeeded: a)
            )
            k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
        }
        return c
    }
}
