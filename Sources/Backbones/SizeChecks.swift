/// Settings of a network whose sizes must fit each other before it is built of them.
protocol CheckedSizes {
    /// Holds the sizes against each other, each by the name that the settings' file has for it.
    func hold(_ checks: inout SizeChecks)
}

extension CheckedSizes {
    /// What does not fit.
    var unfit: [String] {
        var checks = SizeChecks()
        hold(&checks)
        return checks.faults
    }
}

/// Collects what of a network's sizes does not fit.
struct SizeChecks {
    private(set) var faults: [String] = []

    /// No network is wider or knows more words; products of much larger sizes are no numbers.
    static let widest = 1 << 20
    /// No network has more layers.
    static let deepest = 1 << 10

    /// That numbers are from 1 to `most`.
    mutating func hold(_ sizes: KeyValuePairs<String, Int>, to most: Int = SizeChecks.widest) {
        for (name, size) in sizes where !(1...most).contains(size) {
            faults.append("/\(name): \(size); allowed are 1 to \(most)")
        }
    }

    /// That a number divides others; of what is no size it has been said.
    mutating func hold(_ name: String, _ part: Int, divides whole: String, _ sizes: [Int]) {
        guard part > 0, let size = sizes.first(where: { $0 > 0 && $0 % part != 0 }) else { return }
        faults.append("/\(name): \(part) does not divide \(whole), \(size)")
    }

    /// That a condition holds.
    mutating func require(_ isMet: Bool, _ fault: @autoclosure () -> String) {
        if !isMet { faults.append(fault()) }
    }

    /// What `hold` finds, of settings that stand under a name of their own.
    mutating func under(_ name: String, _ hold: (inout SizeChecks) -> Void) {
        var part = SizeChecks()
        hold(&part)
        faults += part.faults.map { name + $0 }
    }
}
