import Daemon
import Foundation
import Jobs
import Testing

/// What is said of a job that takes nearly all the memory there is, or more.
@Suite struct MemoryProblemTests {
    private func memory(
        _ mebibytes: Int, here largest: Int = 1000, _ forms: KeyValuePairs<String, Int> = [:]
    ) -> MemoryProblem {
        var cost = JobCost(work: [:], memoryBytes: mebibytes << 20, diskBytes: 0)
        cost.alternatives = forms.map { .init(change: $0.key, memoryBytes: $0.value << 20) }
        return MemoryProblem(cost, here: largest << 20)
    }

    /// An estimate may be a quarter too high: nothing is refused that could be done, and nothing said to fit that may
    /// not.
    @Test(
        arguments: [(1000, false, false), (1001, true, false), (1333, true, false), (1334, false, true)]
            as [(Int, Bool, Bool)])
    func whatMayFitIsWarnedOf(mebibytes: Int, isWarned: Bool, isRefused: Bool) {
        let memory = memory(mebibytes)
        #expect((memory.warning != nil) == isWarned && (memory.problem != nil) == isRefused)
        var answer = EstimateAnswer(worker: "")
        answer.warnings = ["w"]
        answer.compare(with: memory)
        #expect(answer.fits == !isRefused && answer.warnings?.count == (isWarned ? 2 : 1))
    }

    @Test func theWarningSaysWhatFits() {
        #expect(
            memory(1200).warning == """
                it may not fit: it takes about 1.2 GiB of memory, and 1.0 GiB is all that an engine may take here
                """)
        let remedied = memory(1200, ["/images_per_prompt 2": 800]).warning
        #expect(remedied?.hasSuffix(" here; it would fit with /images_per_prompt 2 (about 800 MiB)") == true)
    }

    @Test func aShortageOfDiskSaysWhatFits() throws {
        let free = FreeDisk(of: FileManager.default.temporaryDirectory.path)
        try #require(free.mebibytes > 0)
        var cost = JobCost(work: [:], memoryBytes: 1, diskBytes: 1 << 60)
        let said = "it keeps up to 1099511627776 MiB on the disk, where \(free.mebibytes) MiB are free"
        #expect(free.shortage(for: cost, at: "/out") == said + " for /out")
        cost.alternatives = [
            .init(change: "/model a", memoryBytes: 1),
            .init(change: "/images_per_prompt 2", memoryBytes: 1, diskBytes: 1 << 59),
            .init(change: "/images_per_prompt 1", memoryBytes: 1, diskBytes: 1 << 20),
        ]
        #expect(free.shortage(for: cost) == said + "; it would fit with /images_per_prompt 1 (about 1 MiB)")
        cost.diskBytes = 1 << 20
        #expect(free.shortage(for: cost) == nil)
    }

    @Test func aFormThatMayNotFitEitherIsNotNamed() {
        let allowed = memory(36_000, here: 24_064, ["/model l7b8": 26_010]).problem?.allowed
        #expect(allowed?.hasSuffix("; no smaller form of it fits") == true, "\(allowed ?? "")")
    }

    @Test func ofFormsThatChangeTheSameTheNearestIsNamed() {
        let forms: KeyValuePairs = [
            "/options {\"moments\": \"8-bit\"}": 990, "/options {\"batch\": 1}": 980, "/size 512x512": 1100,
            "/size 448x448": 970, "/size 384x384": 960, "/model a": 950, "/model b": 940,
        ]
        let allowed = memory(2000, forms).problem?.allowed
        #expect(
            allowed?.hasSuffix(
                """
                ; it would fit with /options {"moments": "8-bit"} (about 990 MiB), or /options {"batch": 1} (about 980 \
                MiB), or /size 448x448 (about 970 MiB)
                """) == true, "\(allowed ?? "")")
        let models = memory(2000, ["/model a": 950, "/model b": 940, "/size 8x8": 930]).problem?.allowed
        #expect(models?.contains("/model a") == true && models?.contains("/model b") == false, "\(models ?? "")")
    }
}
