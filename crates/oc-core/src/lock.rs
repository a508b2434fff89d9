//! The healing lock: one healing at a time per instance, whoever starts it.
//!
//! flock(2) on a file that is never unlinked. The lock belongs to the open file: it dies with the last process that
//! holds the descriptor, so `kill -9` of a holder frees it at once and there is no stale lock to clean up. A chain passes
//! the descriptor on (`OC_LOCK_FD`); a tool inside proves that it is inside by locking that very descriptor again, which
//! succeeds only for those who inherited it. See docs/adr/0001.

use crate::clock::Stamp;
use crate::exit::Exit;
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::identity::Identity;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd as _, FromRawFd as _, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The environment variable that carries the descriptor's number to the steps of a pass.
pub const LOCK_FD: &str = "OC_LOCK_FD";

/// Who holds the lock. Written into the lock file as information; the lock itself is the kernel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// The process.
    pub identity: Option<Identity>,
    /// What it runs.
    pub command: String,
    /// Since when.
    pub since: Stamp,
}

/// Proof that this process may act.
#[derive(Debug)]
pub enum HealingLock {
    /// Taken by us; freed when we and everybody we passed it to are gone.
    Taken(File),
    /// We are a step of the pass that holds it.
    Inherited,
}

impl HealingLock {
    /// Takes the lock, or proves that we are inside the run that holds it.
    ///
    /// # Errors
    /// 75 naming the holder when another healing runs; 74 or 77 when the lock file cannot be used.
    pub fn acquire(path: &Path) -> Result<Self> {
        if inherited(path) {
            return Ok(Self::Inherited);
        }
        not_lost(path)?;
        Self::take(path)
    }

    /// Takes the lock without looking at what was inherited.
    ///
    /// # Errors
    /// As [`HealingLock::acquire`].
    pub fn take(path: &Path) -> Result<Self> {
        if let Some(dir) = path.parent() {
            fsx::private_dir(dir)?;
        }
        let mut file = fsx::open_rw(path)?;
        if !lock_soon(&file, path)? {
            return Err(busy(&mut file));
        }
        if let Err(error) = write_holder(&mut file) {
            // The lock is the kernel's; who holds it is information, and a full disk must not stop a healing.
            crate::out::talk(format_args!("cannot note who holds {}: {error}", path.display()));
        }
        Ok(Self::Taken(file))
    }

    /// Lets the next program that is started inherit the lock until [`HealingLock::keep_private`] is called; returns the
    /// descriptor's number for [`LOCK_FD`].
    ///
    /// # Errors
    /// 70 when called on an inherited lock, 74 when the flag cannot be changed.
    pub fn share(&self) -> Result<RawFd> {
        let Self::Taken(file) = self else {
            return Err(Fault::internal("an inherited lock cannot be shared again"));
        };
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())
            .map_err(|e| Fault::new(Exit::Io, format_args!("cannot share the healing lock: {e}")))?;
        Ok(file.as_raw_fd())
    }

    /// Ends [`HealingLock::share`]: what is started from now on does not inherit the lock.
    pub fn keep_private(&self) {
        if let Self::Taken(file) = self
            && let Err(error) = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::CLOEXEC)
        {
            crate::out::talk(format_args!("cannot make the healing lock private: {error}"));
        }
    }
}

/// Takes a lock for as long as the returned file is open, and writes into it who we are; `what` completes the sentence
/// "... is held by pid N". For programs of which there may be one.
///
/// # Errors
/// 75 naming the holder, 74 or 77 when the file cannot be used.
pub fn claim(path: &Path, what: &str) -> Result<File> {
    if let Some(dir) = path.parent() {
        fsx::private_dir(dir)?;
    }
    let mut file = fsx::open_rw(path)?;
    if !lock_soon(&file, path)? {
        return Err(Fault::busy(format_args!(
            "{what} is held by {}",
            holder_text(&mut file)
        )));
    }
    if let Err(error) = write_holder(&mut file) {
        // The lock is the kernel's; the name in it is only information, and a full disk must not stop its holder.
        crate::out::talk(format_args!("cannot write who holds {}: {error}", path.display()));
    }
    Ok(file)
}

/// Those who only look whether it is held ([`holder`]) hold it themselves for that moment; nobody must be turned away for
/// that. False when it stays held.
fn lock_soon(file: &File, path: &Path) -> Result<bool> {
    let deadline = crate::clock::Deadline::after(std::time::Duration::from_millis(100));
    loop {
        match fs2::FileExt::try_lock_exclusive(file) {
            Ok(()) => return Ok(true),
            Err(e) if e.kind() != fs2::lock_contended_error().kind() => return Err(Fault::io("lock", path, e)),
            Err(_) if deadline.passed() => return Ok(false),
            Err(_) => {
                crate::clock::pause(std::time::Duration::from_millis(5));
            }
        }
    }
}

/// Who holds the lock at this moment, or `None` when it is free. Reads only.
#[must_use]
pub fn holder(path: &Path) -> Option<LockHolder> {
    let mut file = File::open(path).ok()?;
    match fs2::FileExt::try_lock_shared(&file) {
        Ok(()) => None,
        Err(_) => Some(read_holder(&mut file).unwrap_or_else(|| LockHolder {
            identity: None,
            command: "unknown".into(),
            since: Stamp::now(),
        })),
    }
}

/// The first thing every tool does: a descriptor that a pass handed us must not leak into what we start, or a gateway
/// or tmux server started by us would hold the lock for as long as it lives.
pub fn seal_inherited() {
    if let Some(file) = inherited_file()
        && let Err(error) = rustix::io::fcntl_setfd(&*file, rustix::io::FdFlags::CLOEXEC)
    {
        crate::out::talk(format_args!("cannot seal the inherited lock: {error}"));
    }
}

/// True inside a run that holds this lock.
#[must_use]
pub fn inside(path: &Path) -> bool {
    inherited(path)
}

/// A pass whose lock file was removed or replaced under it holds a lock that nobody else sees. It must neither act beside the
/// next one nor take a second lock in its place: what it did then would be in no record.
///
/// # Errors
/// 75 when we were handed a lock that is no longer the one at `path`.
pub fn not_lost(path: &Path) -> Result<()> {
    let Some(mut file) = inherited_file() else {
        return Ok(());
    };
    // Any other open file that happens to have the number is not meant.
    if inherited(path) || read_holder(&mut file).is_none() {
        return Ok(());
    }
    Err(Fault::busy(format_args!(
        "this pass has lost its lock: {} was removed or replaced",
        path.display()
    ))
    .hint("nothing was done; the next pass takes a new one"))
}

/// An environment variable is no proof: the descriptor must be open, be the lock file itself (device and inode), and
/// locking it again must succeed.
fn inherited(path: &Path) -> bool {
    let Some(file) = inherited_file() else { return false };
    let (Ok(ours), Ok(theirs)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    ours.dev() == theirs.dev() && ours.ino() == theirs.ino() && fs2::FileExt::try_lock_exclusive(&*file).is_ok()
}

fn inherited_file() -> Option<ManuallyDrop<File>> {
    let fd: RawFd = std::env::var(LOCK_FD).ok()?.parse().ok().filter(|fd| *fd > 2)?;
    #[expect(unsafe_code, reason = "the descriptor arrives as a number")]
    // SAFETY: wrapped in ManuallyDrop, so it is never closed here; if the number names no open descriptor every use of
    // it fails with EBADF. Nobody else in this process owns it: it was open before main.
    let file = unsafe { ManuallyDrop::new(File::from_raw_fd(fd)) };
    rustix::io::fcntl_getfd(&*file).is_ok().then_some(file)
}

fn busy(file: &mut File) -> Fault {
    let who = holder_text(file);
    Fault::busy(format_args!("another healing is under way: the lock is held by {who}"))
        .hint("it has a deadline; wait for it, or see `oc-escalate status`")
}

fn holder_text(file: &mut File) -> String {
    match read_holder(file) {
        Some(holder) => {
            let pid = holder
                .identity
                .map_or("an unknown pid".to_owned(), |i| format!("pid {}", i.pid));
            let since = humantime::format_duration(std::time::Duration::from_secs(
                Stamp::now().since(&holder.since).as_secs(),
            ));
            format!("{pid} ({}) since {since}", holder.command)
        }
        None => "a process that did not say who it is".to_owned(),
    }
}

fn read_holder(file: &mut File) -> Option<LockHolder> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(64 * 1024).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    let command: Vec<String> = std::env::args().take(8).collect();
    let holder = LockHolder {
        identity: Identity::of(i32::try_from(std::process::id()).unwrap_or(0)),
        command: command.join(" "),
        since: Stamp::now(),
    };
    fsx::overwrite_open(file, &serde_json::to_vec(&holder)?)
}

/// Waits for a short lock (around load-modify-save of one file), at most `limit`.
///
/// # Errors
/// 75 when it stays taken, 74 or 77 when the file cannot be used.
pub fn short(path: &Path, limit: std::time::Duration) -> Result<File> {
    if let Some(dir) = path.parent() {
        fsx::private_dir(dir)?;
    }
    let file = fsx::open_rw(path)?;
    let deadline = crate::clock::Deadline::after(limit);
    loop {
        match fs2::FileExt::try_lock_exclusive(&file) {
            Ok(()) => return Ok(file),
            Err(e) if e.kind() != fs2::lock_contended_error().kind() => return Err(Fault::io("lock", path, e)),
            Err(_) if deadline.passed() => {
                return Err(Fault::busy(format_args!("{} stays locked", path.display())));
            }
            Err(_) => {
                crate::clock::pause(std::time::Duration::from_millis(2));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("locks/healing.lock");
        let first = HealingLock::take(&path).unwrap();
        let refused = HealingLock::take(&path).unwrap_err();
        assert_eq!(refused.exit, Exit::Busy);
        assert!(
            refused.what.contains(&format!("pid {}", std::process::id())),
            "{}",
            refused.what
        );
        assert!(holder(&path).is_some());
        drop(first);
        // Another test's child has a copy of the descriptor between its fork and its exec.
        let soon = crate::clock::Deadline::after(std::time::Duration::from_secs(10));
        while holder(&path).is_some() && !soon.passed() {
            crate::clock::pause(std::time::Duration::from_millis(5));
        }
        HealingLock::take(&path).unwrap();
    }

    #[test]
    fn a_lock_file_full_of_garbage_is_still_a_lock_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("healing.lock");
        crate::fsx::replace(&path, b"\xff\x00garbage").unwrap();
        let file = crate::fsx::open_rw(&path).unwrap();
        fs2::FileExt::try_lock_exclusive(&file).unwrap();
        assert_eq!(HealingLock::take(&path).unwrap_err().exit, Exit::Busy);
    }

    #[test]
    fn a_planted_symlink_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("healing.lock");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert!(HealingLock::take(&path).unwrap_err().what.contains("symbolic link"));
    }
}
