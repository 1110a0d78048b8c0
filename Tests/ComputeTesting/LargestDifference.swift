/// The largest difference between numbers and what they should be. NaN, which is neither smaller nor larger than
/// anything, where they are not as many or one is NaN: `zip` leaves out what is over, and `max` passes NaN over.
package func largestDifference<Number: FloatingPoint>(_ a: [Number], _ b: [Number]) -> Number {
    guard a.count == b.count else { return .nan }
    // Of two infinities there is no difference to take.
    let differences: [Number] = zip(a, b).map { $0 == $1 ? 0 : abs($0 - $1) }
    return differences.contains(where: \.isNaN) ? .nan : differences.max() ?? 0
}
