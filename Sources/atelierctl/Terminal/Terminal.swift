import Foundation
import Hashing
import Synchronization

/// What this process is connected to, and the few things only a terminal gets.
enum Terminal {
    /// Whether a person can be asked.
    static var isInput: Bool { isatty(0) == 1 && isatty(2) == 1 }

    /// Asks on stderr and waits for `y` or `yes`.
    static func confirms(_ question: String) -> Bool {
        StandardStream.errors.write("\(question) [y/N] ")
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    /// A line on stderr, in the place of what was drawn there.
    static func note(_ text: String) {
        clear()
        StandardStream.errors.write(text + "\n")
    }

    /// Overwrites the current line on stderr; only call it on a terminal. What is wider than that ends at its edge: of
    /// several lines only the last would be overwritten the next time.
    static func redraw(_ text: String) {
        isDrawn.store(true, ordering: .relaxed)
        StandardStream.errors.write("\r\u{1B}[2K\u{1B}[?7l\(text)\u{1B}[?7h")
    }

    /// Empties the current line on stderr, where it was drawn.
    static func clear() {
        if isDrawn.exchange(false, ordering: .relaxed) { StandardStream.errors.write("\r\u{1B}[2K") }
    }

    private static let isDrawn = Atomic(false)

    /// `[#####.....]  50 %  stage 300/600`
    static func bar(_ fraction: Double, stage: String, step: Int, of steps: Int) -> String {
        let width = 30
        let filled = Int((min(max(fraction, 0), 1) * Double(width)).rounded())
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let percent = String(Int((fraction * 100).rounded()))
        return
            """
            [\(bar)] \(String(repeating: " ", count: 3 - min(3, percent.count)))\(percent) %  \(printable(stage)) \
            \(step)/\(steps)
            """
    }
}
