import Foundation

/// Where what belongs to the programs lies: installed as `../share/atelier/NAME`, in a checkout at its root.
package enum Installation {
    /// The folder `name` beside or above `folder`, which is the programs' own unless said otherwise; nil where there is none.
    package static func folder(_ name: String, near folder: String? = nil) -> String? {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let start = folder ?? (program as NSString).deletingLastPathComponent
        var candidates = [start + "/../share/atelier/" + name]
        var ancestor = start
        while ancestor.count > 1 {
            candidates.append(ancestor + "/" + name)
            ancestor = (ancestor as NSString).deletingLastPathComponent
        }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }.map { URL(fileURLWithPath: $0).standardizedFileURL.path }
    }
}
