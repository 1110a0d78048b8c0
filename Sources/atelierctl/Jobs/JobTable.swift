import Jobs

/// The table of `jobs list`: of an id the first digits, by which every command finds a job.
func printTable(of jobs: [JSONValue]) {
    var table = Table(
        "JOB", "MESSAGE ID", "KIND", "CONCEPT", "STATE", ">PRIORITY", "CREATED", ">WAITED", ">RAN", "STAGE", ">STEP",
        ">TRY", "TENANT", "ERROR")
    for job in jobs {
        func text(_ name: String) -> String { job[name]?.string ?? "" }
        func time(_ name: String) -> String { job[name]?.double.map(duration) ?? "" }
        let step = job["steps"]?.integer.map { "\(job["step"]?.integer ?? 0)/\($0)" } ?? ""
        table.append(
            String(text("job").prefix(8)), shortened(text("message_id"), to: 36), text("kind"), text("concept"),
            text("state"), String(job["priority"]?.integer ?? 0), moment(text("created_at")), time("waiting_seconds"),
            time("running_seconds"), text("stage"), step, String(job["attempt"]?.integer ?? 0), text("tenant"),
            text("error_code"))
    }
    for line in table.withoutEmptyColumns().lines() { print(line) }
}

/// A text of at most so many characters, with … where there were more.
func shortened(_ text: String, to count: Int) -> String {
    text.count > count ? text.prefix(count - 1) + "…" : text
}
