import Foundation

/// `scripted-engine inspect`: answers what the daemon asks before a message becomes a job, as its first prompt says.
///
///     inspect-problem        finds a problem at /prompts/0
///     inspect-warning        finds something to be told
///     inspect-kill           SIGKILL to itself, whenever it is asked
///     inspect-kill-once=F    the same, unless the file F is there, which it makes
///     inspect-hang           does not answer
///     inspect-cost=N         counts a job that takes 5,000 products, N mebibytes of memory, one more for each byte
///                            that its concepts learnt by ARBooth, and 7 bytes of disk; or half of the N with one
///                            picture of a prompt
///     inspect-uncounted      says why it counts nothing
///     inspect-disk=N         counts N mebibytes of disk in place of these 7 bytes
struct Inspection {
    func run() -> Never {
        emit(["id": 0])
        while let line = readLine(), let order = object(line) {
            skip(order["pictures"] as? [[String: Any]] ?? [])
            answer(order)
        }
        exit(0)
    }

    private func object(_ line: String) -> [String: Any]? {
        try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    }

    private func skip(_ pictures: [[String: Any]]) {
        let count = pictures.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
        for _ in 0..<count { _ = getchar() }
    }

    private func learnt(_ order: [String: Any]) -> Int {
        let adapters = order["adapters"] as? [String: [String: Any]] ?? [:]
        return adapters.values.reduce(0) { sum, adapter in
            adapter["method"] as? String == "arbooth" ? sum + (adapter["bytes"] as? Int ?? 0) : sum
        }
    }

    private func answer(_ order: [String: Any]) {
        let id = order["id"] as? Int ?? -1
        let body = order["body"] as? [String: Any] ?? [:]
        let prompt = (body["prompts"] as? [String])?.first ?? ""
        var report: [String: Any] = ["id": id]
        if prompt.contains("inspect-problem") {
            report["problems"] = [["pointer": "/prompts/0", "found": "99 tokens", "allowed": "at most 9 tokens"]]
        }
        if prompt.contains("inspect-warning") { report["warnings"] = ["/prompts/0: as it was written"] }
        if let size = prompt.firstMatch(of: /inspect-cost=([0-9]+)/).flatMap({ Int($0.1) }) {
            let disk = prompt.firstMatch(of: /inspect-disk=([0-9]+)/).flatMap { Int($0.1) }
            report["cost"] = [
                "work": ["products": 5000], "memory_bytes": (size + learnt(order)) << 20,
                "disk_bytes": disk.map { $0 << 20 } ?? 7,
                "alternatives": [["change": "/images_per_prompt 1", "memory_bytes": size << 19]],
            ]
        }
        if prompt.contains("inspect-uncounted") { report["uncounted"] = "its weights are damaged" }
        if prompt.contains("inspect-hang") { while true { sleep(60) } }
        if let file = prompt.firstMatch(of: /inspect-kill-once=(\S+)/)?.1 {
            if access(String(file), F_OK) != 0 {
                _ = open(String(file), O_CREAT | O_WRONLY, 0o600)
                kill(getpid(), SIGKILL)
            }
        } else if prompt.contains("inspect-kill") {
            kill(getpid(), SIGKILL)
        }
        emit(report)
    }
}
