/// What the numbers of a stored tensor are; the raw value is safetensors' name.
package enum ElementType: String, CaseIterable, Sendable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    /// 4 bits of exponent, 3 of mantissa, no infinity (torch's `float8_e4m3fn`).
    case float8E4M3 = "F8_E4M3"
    /// 5 bits of exponent, 2 of mantissa: the upper half of a float16.
    case float8E5M2 = "F8_E5M2"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
    case bool = "BOOL"
    case complex64 = "C64"
    case complex128 = "C128"

    /// Bytes of one number.
    package var size: Int {
        switch self {
        case .complex128: 16
        case .float64, .int64, .uint64, .complex64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
        }
    }

    /// Whether it is a whole number or a truth value.
    package var isInteger: Bool {
        switch self {
        case .int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .bool: true
        default: false
        }
    }

    /// Whether it can be read as a float.
    package var isReal: Bool { self != .complex64 && self != .complex128 }

    /// The type of a torch storage class (`FloatStorage`) or dtype (`float32`), named without its module.
    init?(torch name: Substring) {
        guard let type = Self.torchNames[String(name)] else { return nil }
        self = type
    }

    private static let torchNames: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool, "UntypedStorage": .uint8, "ComplexFloatStorage": .complex64,
        "ComplexDoubleStorage": .complex128, "QInt8Storage": .int8, "QUInt8Storage": .uint8,
        "QInt32Storage": .int32, "QUInt4x2Storage": .uint8, "QUInt2x4Storage": .uint8,
        "float64": .float64, "double": .float64, "float32": .float32, "float": .float32, "float16": .float16,
        "half": .float16, "bfloat16": .bfloat16, "float8_e4m3fn": .float8E4M3, "float8_e5m2": .float8E5M2,
        "int64": .int64, "long": .int64, "int32": .int32, "int": .int32, "int16": .int16, "short": .int16,
        "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "bool": .bool,
        "complex64": .complex64, "complex128": .complex128,
    ]
}
