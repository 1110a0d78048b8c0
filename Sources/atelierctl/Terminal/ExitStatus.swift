import ArgumentParser
import Hashing

/// What `atelierctl` ends with; the numbers of `sysexits.h` where one fits.
enum ExitStatus {
    /// The job asked about ended without completing.
    static let jobFailed = ExitCode(1)
    /// `doctor` found something wrong.
    static let unhealthy = ExitCode(2)
    /// The input (a file, a job, an id) is not acceptable.
    static let badInput = ExitCode(65)
    /// No such job, artifact or message.
    static let notFound = ExitCode(66)
    /// A server cannot be reached.
    static let unavailable = ExitCode(69)
    /// What was to be written could not be.
    static let unwritten = ExitCode(StandardStream.unwrittenStatus)
    /// A question could not be asked, or was answered with no.
    static let declined = ExitCode(75)
    /// The configuration is wrong.
    static let configuration = ExitCode(78)

    /// For `--help`.
    static let help = """
        Exit codes: 0 done · 1 the job ended without completing · 2 doctor or verify found trouble · 64 wrong \
        arguments · 65 unacceptable input · 66 not found · 69 a server is unavailable · 74 the output could not be \
        written · 75 not confirmed · 78 wrong configuration
        """
}
