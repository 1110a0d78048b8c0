// An engine that does what the job's first prompt says, over the real protocol: for tests of whoever supervises
// engines.
//
//     steps=40 delay=20      40 steps of 20 ms, a checkpoint after each; the picture is a hash chain over all
//                            steps, so that an attempt that resumes gives the same bytes as an undisturbed one only
//                            if nothing was lost or redone
//     kill-at=5              SIGKILL to itself at step 5 of the first attempt (kill-always-at: of every attempt)
//     fail=transient         says `failed` with that consequence (fail-once: in the first attempt only; code=C: with
//                            that code)
//     warn                   its result carries a warning and a table of scores
//     alive=80               begins with so many signs of life, a tenth of a second before each
//     preview                begins with a picture of what is learnt so far
//     proxies                begins with two proxies of the concept it learns, and their sheet
//     adapter                makes an adapter too, named by the job's seed
//     ignore-term hang       does not hear SIGTERM; never ends
//     leak gulp              takes ever more memory, 16 MiB every 10 ms, or as fast as it can
//     garbage flood lie outside silent    what it must not do
import Foundation
import Hashing

if CommandLine.arguments.dropFirst().first == "inspect" { Inspection().run() }
if CommandLine.arguments.dropFirst().first == "measure" {
    print(#"{"version":3,"rates":{"products":1000},"resident_bytes":1048576,"threads":1}"#)
    exit(0)
}
if CommandLine.arguments.dropFirst().first == "protocol" {
    print(
        #"{"version":1,"engine":"scripted 1","kinds":["personalize","generate","compose","evaluate"]}"#)
    exit(0)
}
guard let line = readLine(), let order = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
else { exit(64) }

let spec = order["spec"] as? [String: Any] ?? [:]
let prompt = (spec["prompts"] as? [String])?.first ?? ""
var script: [String: String] = [:]
for word in prompt.split(separator: " ") {
    let parts = word.split(separator: "=", maxSplits: 1)
    script[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
}
let attempt = order["attempt"] as? Int ?? 1
let workspace = order["workspace"] as? String ?? "."
let steps = script["steps"].flatMap(Int.init) ?? 3
let delay = script["delay"].flatMap(UInt32.init) ?? 1

func emit(_ event: [String: Any]) {
    let data = try! JSONSerialization.data(withJSONObject: event, options: [.sortedKeys, .withoutEscapingSlashes])
    FileHandle.standardOutput.write(data + Data("\n".utf8))
}

func write(_ text: String, as name: String) -> (path: String, digest: String, bytes: Int) {
    let path = workspace + "/" + name
    let file = fopen(path + ".tmp", "w")!
    fputs(text, file)
    fflush(file)
    fsync(fileno(file))
    fclose(file)
    rename(path + ".tmp", path)
    return (path, "\(SHA256Digest.of(Data(text.utf8)))", text.utf8.count)
}

nonisolated(unsafe) var isAsked = false
if script["ignore-term"] != nil { _ = signal(SIGTERM, SIG_IGN) } else { _ = signal(SIGTERM) { _ in isAsked = true } }
// The daemon's death closes stdin: end at once.
Thread.detachNewThread {
    while readLine() != nil {}
    _exit(90)
}

FileHandle.standardError.write(Data("scripted engine, attempt \(attempt): \(prompt)\n".utf8))
emit(["event": "started", "engine": "scripted 1", "backbone": "none"])

var step = 0
var chain = "start"
if let resume = order["resume"] as? String, let text = try? String(contentsOfFile: resume, encoding: .utf8) {
    let parts = text.split(separator: " ")
    step = Int(parts[0])!
    chain = String(parts[1])
}
let first = step
for _ in 0..<(script["alive"].flatMap(Int.init) ?? 0) {
    usleep(100_000)
    emit(["event": "alive"])
}
if script["preview"] != nil {
    let preview = write("preview", as: "preview-00001.png")
    emit([
        "event": "artifact", "role": "preview", "name": "preview-00001.png", "path": preview.path,
        "mediaType": "image/png", "sha256": preview.digest, "bytes": preview.bytes, "prompt": prompt, "seed": 7,
    ])
}
if script["proxies"] != nil {
    let concept = spec["concept"] as? [String: Any] ?? [:]
    let (name, noun) = (concept["name"] as? String ?? "", concept["class"] as? String ?? "")
    for number in 1...2 {
        let proxy = write("proxy \(number)", as: "proxy-\(name)-000\(number).png")
        emit([
            "event": "artifact", "role": "proxy", "name": "proxy-\(name)-000\(number).png", "path": proxy.path,
            "mediaType": "image/png", "sha256": proxy.digest, "bytes": proxy.bytes, "prompt": "a <\(name)> \(noun)",
            "seed": number,
        ])
    }
    let sheet = write("proxies", as: "proxies-\(name).png")
    emit([
        "event": "artifact", "role": "proxies", "name": "proxies-\(name).png", "path": sheet.path,
        "mediaType": "image/png", "sha256": sheet.digest, "bytes": sheet.bytes,
    ])
}
while step < steps {
    if isAsked {
        emit(["event": "interrupted", "step": step])
        exit(0)
    }
    step += 1
    chain = "\(SHA256Digest.of(Data("\(chain) \(step)".utf8)))"
    usleep(delay * 1000)
    emit(["event": "progress", "stage": "steps", "step": step, "steps": steps])
    emit(["event": "metric", "step": step, "values": ["loss": 1 / Double(step)]])
    let checkpoint = write("\(step) \(chain)", as: "checkpoint-\(step)")
    emit([
        "event": "checkpoint", "step": step, "path": checkpoint.path, "sha256": checkpoint.digest,
        "bytes": checkpoint.bytes,
    ])
    if script["kill-at"] == "\(step)" && attempt == 1 || script["kill-always-at"] == "\(step)" {
        kill(getpid(), SIGKILL)
    }
}
var hoard: [UnsafeMutableRawPointer] = []  // what nobody holds, an optimizing compiler does not allocate
while script["leak"] != nil || script["gulp"] != nil {
    hoard.append(memset(malloc(16 << 20)!, 1, 16 << 20))
    if script["gulp"] == nil { usleep(10_000) }
}
if script["hang"] != nil { while true { sleep(1) } }
if script["garbage"] != nil { FileHandle.standardOutput.write(Data("this is not JSON\n".utf8)) }
if script["flood"] != nil { FileHandle.standardOutput.write(Data(repeating: 0x78, count: 8 << 20)) }
if script["silent"] != nil { exit(0) }
if let consequence = script["fail"] ?? (attempt == 1 ? script["fail-once"] : nil) {
    emit([
        "event": "failed", "code": script["code"] ?? "engine.scripted", "consequence": consequence,
        "message": "as the script says",
    ])
    exit(0)
}
var picture = write(chain, as: "picture-1.png")
if script["lie"] != nil { picture.digest = String(repeating: "0", count: 64) }
if script["outside"] != nil { picture.path = "/etc/passwd" }
emit([
    "event": "artifact", "role": "picture", "name": "picture-1.png", "path": picture.path, "mediaType": "image/png",
    "sha256": picture.digest, "bytes": picture.bytes, "prompt": prompt, "seed": 7,
])
if script["adapter"] != nil {
    let adapter = write("adapter \(spec["seed"] ?? 0)", as: "adapter.safetensors")
    emit([
        "event": "artifact", "role": "adapter", "name": "adapter.safetensors", "path": adapter.path,
        "mediaType": "application/vnd.safetensors",
        "sha256": adapter.digest, "bytes": adapter.bytes,
    ])
}
// What an evaluation's concepts were learnt from, as digests.
let references = (order["references"] as? [String: [[String: Any]]] ?? [:]).mapValues {
    $0.map { file in (try? SHA256Digest.ofFile(file["path"] as? String ?? "").description) ?? "missing" }
}
// What it is to learn from that another job drew, as the prompts of those pictures that are there.
let given = (order["proxies"] as? [String: [[String: Any]]] ?? [:]).mapValues { proxies in
    proxies.filter { FileManager.default.isReadableFile(atPath: $0["path"] as? String ?? "") }
        .map { $0["prompt"] as? String ?? "" }
}
var result: [String: Any] = ["metrics": ["resumedFrom": first], "references": references, "given": given]
if script["warn"] != nil {
    result["warnings"] = ["DIV of \u{1B}[2J fell"]
    result["table"] = [
        [
            "concept": "rex", "method": "arbooth", "pictures": 8, "scores": ["dino.scripted": 0.75],
            "intervals": ["dino.scripted": 0.125],
        ]
    ]
}
emit(["event": "done", "result": result, "seconds": 0.5, "peakMemoryBytes": 1_000_000])
exit(0)
