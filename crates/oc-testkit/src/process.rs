//! Looking at processes by pid. Linux: everything comes from /proc, and elsewhere nothing is found.

/// Whether the process is there and no zombie.
#[must_use]
pub fn alive(pid: u32) -> bool {
    stat(pid).is_some_and(|fields| !matches!(fields[0].as_str(), "Z" | "X"))
}

/// The session the process belongs to.
#[must_use]
pub fn session(pid: u32) -> Option<u32> {
    stat(pid)?.get(3)?.parse().ok()
}

/// When it started, in clock ticks since boot: with the pid, its identity.
#[must_use]
pub fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid)?.get(19)?.parse().ok()
}

/// The CPU time it has used, user and system, in clock ticks.
#[must_use]
pub fn cpu_ticks(pid: u32) -> Option<u64> {
    let fields = stat(pid)?;
    let (user, system): (u64, u64) = (fields.get(11)?.parse().ok()?, fields.get(12)?.parse().ok()?);
    Some(user + system)
}

/// The same, with what its children used that ended and were waited for, and theirs.
#[must_use]
pub fn cpu_ticks_of_all(pid: u32) -> Option<u64> {
    let fields = stat(pid)?;
    (11..15).map(|n| fields.get(n)?.parse::<u64>().ok()).sum()
}

/// How many descriptors it has open.
#[must_use]
pub fn descriptors(pid: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

/// How many threads it has.
#[must_use]
pub fn threads(pid: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.count())
}

/// Its direct children.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// Its resident memory in KiB; 0 when it is gone.
#[must_use]
pub fn resident_kb(pid: u32) -> u64 {
    memory_kb(pid, "VmRSS:")
}

/// Of that, what is backed by no file: what it has allocated.
#[must_use]
pub fn allocated_kb(pid: u32) -> u64 {
    memory_kb(pid, "RssAnon:")
}

fn memory_kb(pid: u32, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .unwrap_or(0)
}

/// Its command line, words joined by blanks; empty when it is gone.
#[must_use]
pub fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim_end().to_owned()
}

/// The processes whose environment names this HOME.
#[must_use]
pub fn living_in(home: &std::path::Path) -> Vec<u32> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| lives_in(*pid, home))
        .collect()
}

/// Whether the process's environment names this HOME.
pub(crate) fn lives_in(pid: u32, home: &std::path::Path) -> bool {
    let mark = [b"HOME=", home.as_os_str().as_encoded_bytes(), b"\0"].concat();
    std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| environ.windows(mark.len()).any(|at| at == mark))
}

/// The fields of /proc/PID/stat from the third (state) on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold blanks and brackets itself.
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
