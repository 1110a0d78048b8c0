import Foundation

extension Double {
    /// The nearest number with so many decimal digits.
    package func rounded(digits: Int) -> Double {
        let factor = pow(10, Double(digits))
        return (self * factor).rounded() / factor
    }
}
