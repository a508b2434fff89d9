//! `gateway.state.lock`: one gateway per state directory. It stays after a SIGKILL and is taken over when its owner is dead.

use crate::places::Places;
use crate::refusal::{RUNTIME, Refusal};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The file's content, in the real one's words.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner {
    pid: u32,
    owner_id: String,
    created_at: String,
    config_path: PathBuf,
    state_dir: PathBuf,
    port: u16,
    /// Ticks since boot, field 22 of /proc/PID/stat; absent where there is no /proc.
    start_time: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Lock(PathBuf);

impl Lock {
    /// Takes the lock, from a dead owner if need be.
    pub(crate) fn take(places: &Places, port: u16) -> Result<Self, Refusal> {
        let trouble = |e: std::io::Error| Refusal::new(RUNTIME, [format!("Gateway failed to start: {e}")]);
        let dir = places.lock_dir();
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(trouble)?;
        let path = dir.join("gateway.state.lock");
        // Two that start at once: the second waits here and then finds the first one's name.
        let guard = open(&dir.join("gateway.state.lock.guard")).map_err(trouble)?;
        guard.lock().map_err(trouble)?;
        if let Some(owner) = living_owner(&path) {
            return Err(Refusal::config(format!(
                "Doctor could not enter maintenance for gateway startup: another OpenClaw process owns gateway-lifecycle \
                 (pid {})",
                owner.pid
            )));
        }
        let owner = Owner {
            pid: std::process::id(),
            owner_id: uuid().map_err(trouble)?,
            created_at: format!("{:.3}", jiff::Timestamp::now()),
            config_path: places.config.clone(),
            state_dir: places.state_dir.clone(),
            port,
            start_time: start_time(std::process::id()),
        };
        let text = serde_json::to_string_pretty(&owner).map_err(|e| trouble(e.into()))?;
        let new = dir.join("gateway.state.lock.new");
        _ = std::fs::remove_file(&new);
        // Padded with blanks like the real one: a reader must not take the file's length for the object's.
        open(&new)
            .and_then(|mut file| file.write_all(format!("{text}\n{:64}\n", "").as_bytes()))
            .map_err(trouble)?;
        std::fs::rename(&new, &path).map_err(trouble)?;
        Ok(Self(path))
    }

    /// A clean stop leaves no lock behind.
    pub(crate) fn release(self) {
        _ = std::fs::remove_file(self.0);
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn living_owner(path: &Path) -> Option<Owner> {
    let owner: Owner = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let pid = i32::try_from(owner.pid).ok().and_then(Pid::from_raw)?;
    let there = rustix::process::test_kill_process(pid).is_ok() && owner.pid != std::process::id();
    (there && start_time(owner.pid) == owner.start_time).then_some(owner)
}

/// The start time of a process in ticks since boot.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold blanks and brackets itself.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

fn uuid() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}
