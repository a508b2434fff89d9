//! What is measured, in a quiet moment: of each count the smallest of several looks, for what leaks is there at every look and
//! what a pass holds for a moment is not.

use oc_testkit::{Supervised, process};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;

const LOOKS: u32 = 12;
const BETWEEN: Duration = Duration::from_millis(90);

/// One process of ours.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Size {
    pub(crate) rss_kib: f64,
    /// Of that, what is backed by no file: pages of the program itself are no leak.
    pub(crate) allocated_kib: f64,
    pub(crate) descriptors: f64,
    pub(crate) threads: f64,
}

/// All that is measured at one time.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the beginning.
    pub(crate) at_s: f64,
    pub(crate) passes: u64,
    pub(crate) faults: u64,
    pub(crate) supervisor: Size,
    pub(crate) gateway: Size,
    /// All processes that were started in this HOME.
    pub(crate) processes: f64,
    /// Files in the watchdog's directory, but for what is kept by number (`kept`).
    pub(crate) files: f64,
    pub(crate) bytes: f64,
    /// Incidents, and the bytes of all that is kept by number: incidents, snapshots, lessons, messages.
    pub(crate) incidents: f64,
    pub(crate) kept_bytes: f64,
    pub(crate) temporary: f64,
    pub(crate) journal_bytes: f64,
    pub(crate) log_bytes: f64,
    /// CPU time of the supervisor and of all it started and saw end, in milliseconds.
    pub(crate) cpu_ms: f64,
}

/// Directories in which our own rules say how much is kept.
const KEPT: [&str; 4] = ["incidents", "generations", "playbook", "outbox"];

/// Takes about a second.
pub(crate) fn take(service: &mut Supervised, at_s: f64, passes: u64, faults: u64) -> Option<Sample> {
    let supervisor = service.supervisor()?.pid();
    let mut least: Option<Sample> = None;
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(BETWEEN);
        }
        let Some(now) = look_at(service, supervisor, at_s, passes, faults) else {
            continue;
        };
        least = Some(least.map_or(now, |before| smaller(before, now)));
    }
    least
}

fn look_at(service: &Supervised, supervisor: u32, at_s: f64, passes: u64, faults: u64) -> Option<Sample> {
    let (env, gateway) = (&service.env, service.pid()?);
    let watchdog = env.watchdog();
    let kept: Vec<_> = KEPT.iter().map(|dir| watchdog.join(dir)).collect();
    let all = count(&watchdog, &[]);
    let few = count(&watchdog, &kept);
    let journal_bytes = size_of(&watchdog, "journal.jsonl");
    Some(Sample {
        at_s,
        passes,
        faults,
        supervisor: size(supervisor)?,
        gateway: size(gateway)?,
        processes: env.processes().len() as f64,
        files: few.files,
        bytes: few.bytes - journal_bytes,
        incidents: entries(&watchdog.join("incidents")),
        kept_bytes: all.bytes - few.bytes,
        temporary: count(&env.path("tmp"), &[]).files,
        journal_bytes,
        log_bytes: count(&env.path(".openclaw/logs"), &[]).bytes,
        cpu_ms: process::cpu_ticks_of_all(supervisor)? as f64 * 1000.0 / ticks_per_second(),
    })
}

fn smaller(a: Sample, b: Sample) -> Sample {
    let size = |a: Size, b: Size| Size {
        rss_kib: a.rss_kib.min(b.rss_kib),
        allocated_kib: a.allocated_kib.min(b.allocated_kib),
        descriptors: a.descriptors.min(b.descriptors),
        threads: a.threads.min(b.threads),
    };
    Sample {
        supervisor: size(a.supervisor, b.supervisor),
        gateway: size(a.gateway, b.gateway),
        processes: a.processes.min(b.processes),
        files: a.files.min(b.files),
        bytes: a.bytes.min(b.bytes),
        temporary: a.temporary.min(b.temporary),
        ..b
    }
}

fn size(pid: u32) -> Option<Size> {
    Some(Size {
        rss_kib: process::resident_kb(pid) as f64,
        allocated_kib: process::allocated_kb(pid) as f64,
        descriptors: process::descriptors(pid)? as f64,
        threads: process::threads(pid)? as f64,
    })
}

#[derive(Default)]
struct Count {
    files: f64,
    bytes: f64,
}

/// Everything below a directory but these. What goes away meanwhile does not count.
fn count(dir: &Path, without: &[std::path::PathBuf]) -> Count {
    let mut sum = Count::default();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        if without.contains(&path) {
            continue;
        }
        if meta.is_dir() {
            let below = count(&path, without);
            sum.files += below.files;
            sum.bytes += below.bytes;
        } else {
            sum.files += 1.0;
            sum.bytes += meta.len() as f64;
        }
    }
    sum
}

/// Of all files whose name begins so: a rotated journal is still journal.
fn size_of(dir: &Path, prefix: &str) -> f64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let ours = files.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    ours.filter_map(|entry| Some(entry.metadata().ok()?.len() as f64)).sum()
}

fn entries(dir: &Path) -> f64 {
    std::fs::read_dir(dir).map_or(0.0, |entries| entries.count() as f64)
}

fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}
