import Foundation
import Jobs

/// Hours as bars, what went well under what did not.
struct HourBars {
    /// One hour: how many of each kind of end.
    struct Hour {
        let hour: Date
        var completed = 0.0
        var failed = 0.0
    }

    let hours: [Hour]

    /// The drawing; nil where nothing ended.
    var svg: String? {
        guard let most = hours.map({ $0.completed + $0.failed }).max(), most > 0 else { return nil }
        let (width, height, slot) = (Double(hours.count) * 12, 72.0, 12.0)
        let total = hours.reduce(0) { $0 + $1.completed + $1.failed }
        var parts = [
            """
            <svg class="chart bars" viewBox="0 0 \(Int(width)) \(Int(height))" preserveAspectRatio="none" role="img" \
            aria-label="\(counted(Int(total), "job")) ended in \(hours.count) hours, at most \(Int(most)) in one">
            """
        ]
        for (index, hour) in hours.enumerated() where hour.completed + hour.failed > 0 {
            let (good, bad) = (hour.completed / most * (height - 4), hour.failed / most * (height - 4))
            let place = String(format: "%.1f", Double(index) * slot + 1)
            let time = hour.hour.formatted(.iso8601).prefix(13).replacing("T", with: " ")
            parts.append(
                "<g><title>\(time) h UTC: \(Int(hour.completed)) completed, \(Int(hour.failed)) not</title>")
            for (name, from, tall) in [("good", height - good, good), ("bad", height - good - bad, bad)] where tall > 0
            {
                parts.append(
                    String(
                        format: #"<rect class="%@" x="%@" y="%.1f" width="10" height="%.1f"/>"#, name, place, from,
                        max(tall, 1)))
            }
            parts.append("</g>")
        }
        return parts.joined() + "</svg>"
    }
}
