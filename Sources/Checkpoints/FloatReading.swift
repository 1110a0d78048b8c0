extension StoredTensor {
    /// Writes the numbers as floats in the order of the shape.
    /// - Throws: `CheckpointError` where the type is no real number or a small storage is repeated too often.
    /// - Precondition: `target` holds `count` floats.
    package func read(into target: UnsafeMutableBufferPointer<Float>) throws(CheckpointError) {
        let type = try readableType()
        switch type {
        case .float32: gather(into: target) { (stored: Float) in stored }
        case .float64: gather(into: target) { (stored: Double) in Float(stored) }
        case .float16: gather(into: target) { (stored: Float16) in Float(stored) }
        case .bfloat16: gather(into: target) { (stored: UInt16) in Float(bitPattern: UInt32(stored) << 16) }
        case .float8E4M3: gather(into: target) { (stored: UInt8) in Self.fromE4M3[Int(stored)] }
        case .float8E5M2: gather(into: target) { (s: UInt8) in Float(Float16(bitPattern: UInt16(s) << 8)) }
        case .int64: gather(into: target) { (stored: Int64) in Float(stored) }
        case .int32: gather(into: target) { (stored: Int32) in Float(stored) }
        case .int16: gather(into: target) { (stored: Int16) in Float(stored) }
        case .int8: gather(into: target) { (stored: Int8) in Float(stored) }
        case .uint64: gather(into: target) { (stored: UInt64) in Float(stored) }
        case .uint32: gather(into: target) { (stored: UInt32) in Float(stored) }
        case .uint16: gather(into: target) { (stored: UInt16) in Float(stored) }
        case .uint8, .bool: gather(into: target) { (stored: UInt8) in Float(stored) }
        case .complex64, .complex128: preconditionFailure("no real number")
        }
    }

    /// Refuses, before memory is spent, what cannot be read.
    /// - Throws: `CheckpointError` as `read(into:)` does.
    package func checkSize() throws(CheckpointError) { _ = try readableType() }

    /// The numbers as floats.
    package func floats() throws(CheckpointError) -> [Float] {
        _ = try readableType()
        var values = [Float](repeating: 0, count: count)
        // A typed throw does not pass through the closure.
        let outcome = values.withUnsafeMutableBufferPointer { target in
            Result { () throws(CheckpointError) in try read(into: target) }
        }
        try outcome.get()
        return values
    }

    /// The whole numbers, exactly.
    /// - Throws: `CheckpointError` where the type is no whole number, or one does not fit into 64 bits with a sign.
    package func integers() throws(CheckpointError) -> [Int] {
        let type = try readableType()
        guard type.isInteger else { throw problem("is \(typeName); whole numbers are needed here") }
        var values = [Int](repeating: 0, count: count)
        var isTooLarge = false
        values.withUnsafeMutableBufferPointer { target in
            switch type {
            case .int64: gather(into: target) { (stored: Int64) in Int(stored) }
            case .int32: gather(into: target) { (stored: Int32) in Int(stored) }
            case .int16: gather(into: target) { (stored: Int16) in Int(stored) }
            case .int8: gather(into: target) { (stored: Int8) in Int(stored) }
            case .uint64:
                gather(into: target) { (stored: UInt64) in Int(bitPattern: UInt(stored)) }
                isTooLarge = target.contains { $0 < 0 }
            case .uint32: gather(into: target) { (stored: UInt32) in Int(stored) }
            case .uint16: gather(into: target) { (stored: UInt16) in Int(stored) }
            default: gather(into: target) { (stored: UInt8) in Int(stored) }
            }
        }
        guard !isTooLarge else { throw problem("holds numbers above \(Int.max)") }
        return values
    }

    /// The type, where its numbers can be read and are not made out of nearly nothing.
    private func readableType() throws(CheckpointError) -> ElementType {
        guard let type, type.isReal else {
            let known = ElementType.allCases.filter(\.isReal).map(\.rawValue).joined(separator: ", ")
            throw problem("is \(typeName), which is not read; it must be one of \(known)")
        }
        guard count <= Self.mostRepeated || count <= storage.count / type.size else {
            throw problem(
                "repeats \(storage.count / type.size) numbers to \(count); at most \(Self.mostRepeated) are allowed")
        }
        return type
    }

    /// Floats of the 256 values of float8 E4M3 (Micikevicius et al. 2022, arXiv 2209.05433: bias 7, no infinities).
    private static let fromE4M3: [Float] = (0..<256).map { bits in
        let (exponent, mantissa) = (bits >> 3 & 15, Float(bits & 7))
        if bits & 127 == 127 { return .nan }
        let power = Float(sign: .plus, exponent: max(exponent, 1) - 7, significand: 1)
        let size = power * (mantissa / 8 + (exponent == 0 ? 0 : 1))
        return bits < 128 ? size : -size
    }
}

extension StoredTensor {
    /// Copies every number in the order of the shape.
    @inline(__always)
    private func gather<Stored: BitwiseCopyable, Value>(
        into target: UnsafeMutableBufferPointer<Value>, _ convert: (Stored) -> Value
    ) {
        precondition(target.count == count)
        guard !target.isEmpty else { return }
        let walk = StridedWalk(shape: shape, strides: strides)
        let numbers = storage.pointer.baseAddress! + offset * MemoryLayout<Stored>.size
        var filled = 0
        walk.forEachRun { start in
            var place = numbers + start * MemoryLayout<Stored>.size
            let step = walk.step * MemoryLayout<Stored>.size
            for i in filled..<filled + walk.run {
                target[i] = convert(place.loadUnaligned(as: Stored.self))
                place += step
            }
            filled += walk.run
        }
    }
}

/// The order in which a view's numbers lie in its storage: runs of equal steps, as long as can be.
private struct StridedWalk {
    /// How many numbers are in a run, and how far apart.
    let run: Int
    let step: Int
    private let outer: [(size: Int, stride: Int)]

    init(shape: [Int], strides: [Int]) {
        var merged: [(size: Int, stride: Int)] = []
        for (size, stride) in zip(shape, strides) where size != 1 {
            if let last = merged.last, last.stride == stride * size {
                merged[merged.count - 1] = (last.size * size, stride)
            } else {
                merged.append((size, stride))
            }
        }
        (run, step) = merged.popLast() ?? (1, 1)
        outer = merged
    }

    /// Gives every run's start, counted from the view's first number.
    func forEachRun(_ body: (Int) -> Void) {
        var index = [Int](repeating: 0, count: outer.count)
        var start = 0
        while true {
            body(start)
            var dimension = outer.count - 1
            while dimension >= 0 {
                index[dimension] += 1
                start += outer[dimension].stride
                if index[dimension] < outer[dimension].size { break }
                start -= outer[dimension].stride * outer[dimension].size
                index[dimension] = 0
                dimension -= 1
            }
            if dimension < 0 { return }
        }
    }
}
