//! One configuration file on disk: what is there, and its replacement by compare-and-swap.

use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use rustix::fs::{AtFlags, CWD, Mode, RenameFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A configuration larger than this is not read; OpenClaw's own have a few kilobytes.
pub const CAP: u64 = 16 << 20;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// A socket, pipe or device.
    Special,
    /// Something that cannot be read, and why.
    Unreadable(String),
    /// More than [`CAP`] bytes.
    TooLarge(u64),
    /// A file.
    Bytes(Vec<u8>),
}

/// A configuration file as it is on disk.
#[derive(Debug, Clone)]
pub struct OnDisk {
    /// Where the service looks.
    pub path: PathBuf,
    /// Where the bytes are: the end of a chain of links. Edits go there, so that a link stays one.
    pub target: PathBuf,
    /// What is there.
    pub content: Content,
    /// Hash of the bytes.
    pub hash: Option<Hash>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner and group.
    pub owner: Option<(u32, u32)>,
    /// When content or status last changed, whichever is later, milliseconds since 1970. The change time cannot be set
    /// by hand, so a file that was put back with its old modification time still counts as changed.
    pub changed_ms: Option<i64>,
}

/// SHA-256 of a file's content, lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

impl Hash {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self(digest.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.short())
    }
}

impl OnDisk {
    /// Looks at a path. Never fails: what cannot be read is an answer too.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let target = end_of_links(path);
        let mut found = Self {
            path: path.to_owned(),
            content: Content::Missing,
            hash: None,
            mode: None,
            owner: None,
            changed_ms: None,
            target,
        };
        let meta = match fs::metadata(&found.target) {
            Ok(meta) => meta,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return found,
            Err(e) => {
                found.content = Content::Unreadable(e.to_string());
                return found;
            }
        };
        found.mode = Some(meta.permissions().mode() & 0o7777);
        found.owner = Some((meta.uid(), meta.gid()));
        found.changed_ms = Some(changed_ms(&meta));
        found.content = if meta.is_dir() {
            Content::Directory
        } else if !meta.is_file() {
            // Reading a pipe would wait for a writer.
            Content::Special
        } else if meta.len() > CAP {
            Content::TooLarge(meta.len())
        } else {
            match fs::read(&found.target) {
                Ok(bytes) => Content::Bytes(bytes),
                Err(e) => Content::Unreadable(e.to_string()),
            }
        };
        found.hash = found.bytes().map(Hash::of);
        found
    }

    /// The bytes, when it is a readable file.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Later of modification and status change.
fn changed_ms(meta: &fs::Metadata) -> i64 {
    let ms = |s: i64, ns: i64| s.saturating_mul(1000).saturating_add(ns / 1_000_000);
    ms(meta.mtime(), meta.mtime_nsec()).max(ms(meta.ctime(), meta.ctime_nsec()))
}

/// Follows links by hand, so that the end of a dangling chain is known too.
fn end_of_links(path: &Path) -> PathBuf {
    let mut at = path.to_owned();
    for _ in 0..40 {
        match fs::read_link(&at) {
            Ok(to) if to.is_absolute() => at = to,
            Ok(to) => at = at.parent().unwrap_or(Path::new("/")).join(to),
            Err(_) => break,
        }
    }
    at
}

/// A replacement that is about to be made. Everything it needs is known before it starts, so that it can be recorded
/// first and finished or taken back by another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The file (the end of the links).
    pub target: PathBuf,
    /// The new content, beside it, until it takes its place; afterwards the old content for a moment.
    pub temp: PathBuf,
    /// Hash of what must be there now; null when nothing may be there.
    pub before: Option<Hash>,
    /// Hash of the new content.
    pub after: Hash,
    /// Permission bits of the new file.
    pub mode: u32,
    /// Owner and group to keep, when they are not ours.
    pub owner: Option<(u32, u32)>,
}

impl Swap {
    /// Plans the replacement of a file as it was read.
    #[must_use]
    pub fn plan(file: &OnDisk, bytes: &[u8], id: &str) -> Self {
        let name = file.target.file_name().unwrap_or_default().to_string_lossy();
        Self {
            temp: file.target.with_file_name(format!(".{name}.oc-{id}.new")),
            target: file.target.clone(),
            before: file.hash.clone(),
            after: Hash::of(bytes),
            // OpenClaw writes 0600 itself; a config holds secrets.
            mode: file.mode.filter(|_| file.bytes().is_some()).unwrap_or(0o600),
            owner: file.owner,
        }
    }

    /// Does it: the new content beside the old one, then an exchange of the two names, then a look at what came out. When
    /// that is not what was expected somebody wrote meanwhile, and it is exchanged back: the user's edit wins.
    ///
    /// # Errors
    /// 75 when the file is no longer what it was; 74 or 77 when it cannot be written. The file is then untouched.
    pub fn perform(&self, bytes: &[u8]) -> Result<()> {
        if hash_of(&self.target) != self.before {
            return Err(self.overtaken());
        }
        self.write_temp(bytes)
            .inspect_err(|_| drop(fs::remove_file(&self.temp)))?;
        crash_point("temp");
        let exchanged = match &self.before {
            None => rename_new(&self.temp, &self.target),
            Some(_) => rustix::fs::renameat_with(CWD, &self.temp, CWD, &self.target, RenameFlags::EXCHANGE),
        };
        match exchanged {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => {
                drop(fs::remove_file(&self.temp));
                return Err(self.overtaken());
            }
            // A file system without exchange: the window between look and rename is all that is left unguarded.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
                fs::rename(&self.temp, &self.target).map_err(|e| Fault::io("replace", &self.target, e))?;
            }
            Err(e) => {
                drop(fs::remove_file(&self.temp));
                return Err(Fault::io("replace", &self.target, e));
            }
        }
        crash_point("exchanged");
        self.settle()?;
        sync_dir(&self.target);
        Ok(())
    }

    /// Finishes or takes back what an interrupted [`Swap::perform`] left: whatever happens, no byte of a user is lost.
    ///
    /// # Errors
    /// As [`Swap::perform`].
    pub fn settle(&self) -> Result<()> {
        let Some(left) = hash_of(&self.temp) else { return Ok(()) };
        if Some(&left) == self.before.as_ref() || left == self.after {
            return fs::remove_file(&self.temp).map_err(|e| Fault::io("remove", &self.temp, e));
        }
        if hash_of(&self.target).as_ref() == Some(&self.after) {
            // What we took out was not what we had read: it goes back.
            rustix::fs::renameat_with(CWD, &self.temp, CWD, &self.target, RenameFlags::EXCHANGE)
                .map_err(|e| Fault::io("put back", &self.target, e))?;
            fs::remove_file(&self.temp).map_err(|e| Fault::io("remove", &self.temp, e))?;
        } else if hash_of(&self.target) == self.before {
            // A half-written new file of a crash: ours, worth nothing. Nothing took place yet.
            return fs::remove_file(&self.temp).map_err(|e| Fault::io("remove", &self.temp, e));
        } else {
            // Nobody can tell any more whose this is.
            oc_core::fsx::put_aside(&self.temp, "kept")?;
        }
        if hash_of(&self.target).as_ref() == Some(&self.after) {
            Ok(())
        } else {
            Err(self.overtaken())
        }
    }

    fn write_temp(&self, bytes: &[u8]) -> Result<()> {
        let fault = |e: std::io::Error| Fault::io("write", &self.temp, e);
        if let Err(e) = fs::remove_file(&self.temp)
            && e.kind() != ErrorKind::NotFound
        {
            return Err(fault(e));
        }
        if let Some(dir) = self.target.parent().filter(|dir| !dir.exists()) {
            oc_core::fsx::private_dir(dir)?;
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.temp)
            .map_err(fault)?;
        file.write_all(bytes).map_err(fault)?;
        if let Some((uid, gid)) = self.owner
            && uid != rustix::process::geteuid().as_raw()
        {
            std::os::unix::fs::fchown(&file, Some(uid), Some(gid)).map_err(fault)?;
        }
        file.set_permissions(fs::Permissions::from_mode(self.mode))
            .map_err(fault)?;
        file.sync_all().map_err(fault)
    }

    fn overtaken(&self) -> Fault {
        Fault::new(
            Exit::Busy,
            format_args!(
                "{} was changed by somebody else meanwhile; their edit stands",
                self.target.display()
            ),
        )
        .hint("run again: the new content is looked at afresh")
    }
}

/// Renames where nothing may stand yet.
fn rename_new(from: &Path, to: &Path) -> Result<(), rustix::io::Errno> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            rustix::fs::linkat(CWD, from, CWD, to, AtFlags::empty())?;
            rustix::fs::unlink(from)
        }
        other => other,
    }
}

fn hash_of(path: &Path) -> Option<Hash> {
    fs::metadata(path).ok().filter(|m| m.is_file() && m.len() <= CAP)?;
    fs::read(path).ok().map(|bytes| Hash::of(&bytes))
}

fn sync_dir(path: &Path) {
    // Without this the rename may be lost in a power cut; nothing worse, so a failure is not one of the repair.
    if let Some(Err(e)) = path.parent().map(|dir| fs::File::open(dir).and_then(|d| d.sync_all())) {
        oc_core::out::talk(format_args!("cannot sync the directory of {}: {e}", path.display()));
    }
}

/// Sets permission bits.
///
/// # Errors
/// 74 or 77.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    rustix::fs::chmod(path, Mode::from_raw_mode(mode as rustix::fs::RawMode))
        .map_err(|e| Fault::io("change the mode of", path, e))
}

/// A place where a test may kill us: `OC_CRASH_AT=NAME`. Not in release builds.
pub fn crash_point(name: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("OC_CRASH_AT").is_ok_and(|at| at == name) {
        let died = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        oc_core::out::talk(format_args!("should have died at {name}: {died:?}"));
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
        let path = dir.path().join("openclaw.json");
        oc_core::fsx::replace(&path, bytes).unwrap();
        path
    }

    #[test]
    fn mode_stays_and_a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let real = file(&dir, b"old");
        set_mode(&real, 0o640).unwrap();
        let link = dir.path().join("link.json");
        std::os::unix::fs::symlink("openclaw.json", &link).unwrap();
        let found = OnDisk::read(&link);
        Swap::plan(&found, b"new", "t").perform(b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let after = OnDisk::read(&real);
        assert_eq!((after.bytes().unwrap(), after.mode), (&b"new"[..], Some(0o640)));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn an_edit_made_meanwhile_wins() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, b"old");
        let swap = Swap::plan(&OnDisk::read(&path), b"ours", "t");
        oc_core::fsx::replace(&path, b"theirs").unwrap();
        assert_eq!(swap.perform(b"ours").unwrap_err().exit, Exit::Busy);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }

    #[test]
    fn a_file_that_appears_meanwhile_wins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        let swap = Swap::plan(&OnDisk::read(&path), b"ours", "t");
        file(&dir, b"theirs");
        assert!(swap.perform(b"ours").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
    }

    #[test]
    fn an_edit_that_slipped_in_before_the_exchange_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, b"old");
        let swap = Swap::plan(&OnDisk::read(&path), b"ours", "t");
        // As after the exchange: ours in place, theirs at the temporary name.
        oc_core::fsx::replace(&path, b"ours").unwrap();
        oc_core::fsx::replace(&swap.temp, b"theirs").unwrap();
        assert_eq!(swap.settle().unwrap_err().exit, Exit::Busy);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert!(!swap.temp.exists());
    }
}
