import Glibc

/// Who reads the log, which decides what a line must say by itself.
package enum LogReader: Sendable {
    /// systemd's journal, which knows the time and takes a priority.
    case journal
    /// A person.
    case terminal
    /// A file or another program.
    case file

    /// Who reads this process's stderr.
    package static var standard: LogReader {
        if isatty(2) == 1 { return .terminal }
        return getenv("JOURNAL_STREAM").map { isJournal(String(cString: $0), descriptor: 2) } == true ? .journal : .file
    }

    /// Whether `descriptor` is the stream that systemd names in JOURNAL_STREAM, as device and inode: a child inherits
    /// the variable, and may have been given another stderr.
    static func isJournal(_ stream: String, descriptor: Int32) -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
