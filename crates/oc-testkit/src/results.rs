//! What every table of results says about where and when it was made, and where it is kept.

use serde::Serialize;
use std::path::Path;

/// Now, in RFC 3339, to the second.
#[must_use]
pub fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

/// The machine in a few words: system, cores, processor.
#[must_use]
pub fn machine() -> String {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    format!(
        "{} {} {}, {} cores of {}",
        word(system.sysname()),
        word(system.release()),
        word(system.machine()),
        std::thread::available_parallelism().map_or(0, usize::from),
        processor()
    )
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name"));
    let name = model.and_then(|line| Some(line.split_once(": ")?.1.trim()));
    name.unwrap_or("an unknown kind").to_owned()
}

/// The load average of the last 1, 5 and 15 minutes.
#[must_use]
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Writes NAME.json and NAME.md.
///
/// # Errors
/// Those of the file system.
pub fn save(dir: &Path, name: &str, sheet: &impl Serialize, markdown: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut json = serde_json::to_string_pretty(sheet)?;
    json.push('\n');
    std::fs::write(dir.join(format!("{name}.json")), json)?;
    std::fs::write(dir.join(format!("{name}.md")), markdown)
}
