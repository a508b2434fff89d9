//! Files that survive crashes and hostile neighbours: atomic replacement, private directories, no symlink followed.

use crate::clock;
use crate::fault::{Fault, Result};
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

/// What is longer is no text of ours, and is not kept in length.
const OVERWRITTEN: usize = 64 << 10;

/// Makes a directory (and its parents) that only its owner can enter, and checks that nobody planted another thing
/// there: a symlink or somebody else's directory is refused.
///
/// # Errors
/// 74 or 77 with the path.
pub fn private_dir(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => {
            if meta.uid() != rustix::process::geteuid().as_raw() {
                return Err(Fault::new(
                    crate::exit::Exit::Permission,
                    format_args!(
                        "refusing to use {}: it belongs to uid {}, not to you",
                        path.display(),
                        meta.uid()
                    ),
                )
                .hint("run as the user that owns the gateway"));
            }
            if meta.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                    .map_err(|e| Fault::io("make private", path, e))?;
            }
            Ok(())
        }
        Ok(_) => Err(Fault::new(
            crate::exit::Exit::Io,
            format_args!("refusing to use {}: it is not a directory", path.display()),
        )
        .hint("remove what stands there and run again")),
        Err(_) => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|e| Fault::io("create directory", path, e)),
    }
}

/// Makes the files that others left right in a directory of ours (a shell, an agent) readable by the owner only. A umask in
/// their place would be inherited by a service that they start.
///
/// # Errors
/// 74 or 77 with the path.
pub fn private_files(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|e| Fault::io("read", dir, e))?.flatten() {
        let path = entry.path();
        // Of the link itself, where it is one.
        let open = |meta: fs::Metadata| meta.is_file() && meta.permissions().mode() & 0o077 != 0;
        if entry.metadata().is_ok_and(open) {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
                .map_err(|e| Fault::io("make private", &path, e))?;
        }
    }
    Ok(())
}

/// Replaces a file so that a reader, a crash or a full disk sees either the old or the new content, never a part: temporary
/// file in the same directory, fsync, rename, fsync of the directory. Mode 0600. What killed writers left in that directory goes.
///
/// # Errors
/// 74 or 77 with the path; the old content is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    // Here and not in `put`: a write that costs two fsyncs can bear it, the quick ones must not pay for it each time.
    remove_unfinished(dir_of(path), ABANDONED);
    put(path, bytes, File::sync_all)
        // Without this the rename itself may be lost in a power cut.
        .and_then(|()| File::open(dir_of(path))?.sync_all())
        .map_err(|e| Fault::io("write", path, e))
}

/// As [`replace`] but without the two fsyncs and the tidying, for what may be lost in a power cut (status, carry-over between
/// passes): only in our own directories, which the guardian tidies.
///
/// # Errors
/// 74 or 77 with the path.
pub fn replace_quick(path: &Path, bytes: &[u8]) -> Result<()> {
    put(path, bytes, |_| Ok(())).map_err(|e| Fault::io("write", path, e))
}

/// Writes over a file of JSON in place: one write, after which blanks stand where an older, longer text had stood, so that whoever
/// is killed leaves the old text or the new one. For what may be lost in a power cut and is written in every pass: nothing is
/// created, renamed or freed, which costs ten times as much.
///
/// # Errors
/// 74 or 77 with the path.
pub fn overwrite(path: &Path, json: &[u8]) -> Result<()> {
    overwrite_open(&open_rw(path)?, json).map_err(|e| Fault::io("write", path, e))
}

/// As [`overwrite`], of a file that is open already.
///
/// # Errors
/// Those of the system.
pub fn overwrite_open(file: &File, json: &[u8]) -> io::Result<()> {
    let mut before = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if before > OVERWRITTEN {
        file.set_len(0)?;
        before = 0;
    }
    let mut text = json.to_vec();
    text.resize(json.len().max(before), b' ');
    file.write_all_at(&text, 0)
}

/// What a file is called until it is complete: `.oc-RANDOM.new`.
const UNFINISHED: (&str, &str) = (".oc-", ".new");
/// It is called so for milliseconds; one that is so old belongs to a writer that was killed.
const ABANDONED: Duration = Duration::from_secs(600);

fn put(path: &Path, bytes: &[u8], sync: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let mut temp = tempfile::Builder::new()
        .prefix(UNFINISHED.0)
        .suffix(UNFINISHED.1)
        .tempfile_in(dir_of(path))?;
    temp.write_all(bytes)?;
    sync(temp.as_file())?;
    temp.persist(path).map(drop).map_err(|e| e.error)
}

/// Removes what killed writers left in this directory, when it is at least so old. Nothing depends on it, so that a failure is
/// no fault.
pub fn remove_unfinished(dir: &Path, age: Duration) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        if name.starts_with(UNFINISHED.0)
            && name.ends_with(UNFINISHED.1)
            && clock::file_age(&path).is_some_and(|is| is >= age)
        {
            drop(fs::remove_file(path));
        }
    }
}

/// What killed writers left anywhere below this directory: also where nobody writes for a long time.
pub fn remove_abandoned(dir: &Path) {
    remove_unfinished(dir, ABANDONED);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_abandoned(&entry.path());
        }
    }
}

fn dir_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Opens (creating it 0600) for reading and appending; never through a symlink.
///
/// # Errors
/// 74 or 77 with the path.
pub fn open_append(path: &Path) -> Result<File> {
    open(path, OFlags::RDWR | OFlags::CREATE | OFlags::APPEND)
}

/// Opens (creating it 0600) for reading and writing; never through a symlink. For lock files.
///
/// # Errors
/// 74 or 77 with the path.
pub fn open_rw(path: &Path) -> Result<File> {
    open(path, OFlags::RDWR | OFlags::CREATE)
}

fn open(path: &Path, flags: OFlags) -> Result<File> {
    rustix::fs::open(
        path,
        flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::from_raw_mode(0o600),
    )
    .map(File::from)
    .map_err(|e| match e {
        rustix::io::Errno::LOOP => Fault::new(
            crate::exit::Exit::Io,
            format_args!("refusing to open {}: it is a symbolic link", path.display()),
        )
        .hint("somebody planted it; look at where it points, then remove it"),
        other => Fault::io("open", path, other),
    })
}

/// Reads at most `cap` bytes; `Ok(None)` when the file does not exist.
///
/// # Errors
/// 65 when the file is larger than `cap`, 74 or 77 when it cannot be read.
pub fn read_capped(path: &Path, cap: u64) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Fault::io("read", path, e)),
    };
    // Most of our files are read with one call that way, instead of in pieces of 32 bytes and more.
    let mut bytes = Vec::with_capacity(4096);
    file.take(cap.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::io("read", path, e))?;
    if bytes.len() as u64 > cap {
        return Err(Fault::data(format_args!(
            "{} is larger than {cap} bytes",
            path.display()
        )));
    }
    Ok(Some(bytes))
}

/// The last `cap` bytes of a file of any size (a 10 GB log costs no more than its tail), from a line start.
///
/// # Errors
/// 74 or 77 when it cannot be read.
pub fn tail(path: &Path, cap: u64) -> Result<Vec<u8>> {
    use std::io::{Seek as _, SeekFrom};
    let attempt = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let from = len.saturating_sub(cap);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(cap).read_to_end(&mut bytes)?;
        if from > 0
            && let Some(newline) = bytes.iter().position(|b| *b == b'\n')
        {
            bytes.drain(..=newline);
        }
        Ok(bytes)
    };
    attempt().map_err(|e| Fault::io("read", path, e))
}

/// Puts a file that could not be understood aside, under a name that says when, and never over an earlier one.
/// Returns where it is now.
///
/// # Errors
/// 74 or 77 when it cannot be moved.
pub fn put_aside(path: &Path, why: &str) -> Result<std::path::PathBuf> {
    let stamp = crate::clock::Stamp::now().wall_ms;
    for n in 0..100 {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(
            ".{why}.{stamp}{}",
            if n == 0 { String::new() } else { format!("-{n}") }
        ));
        let to = path.with_file_name(name);
        // link + unlink instead of rename: a link refuses to replace what is already there.
        match fs::hard_link(path, &to) {
            Ok(()) => {
                fs::remove_file(path).map_err(|e| Fault::io("put aside", path, e))?;
                return Ok(to);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Fault::io("put aside", path, e)),
        }
    }
    Err(Fault::internal(format_args!(
        "cannot put {} aside: a hundred copies already exist",
        path.display()
    )))
}

/// What is left for us on the file system of `path`, or of its nearest parent that is there. Bytes; `None` when it cannot be
/// told.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let found = path.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok())?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the test plays the writer that was killed")]
    fn leave(path: &Path, age: Duration) {
        let file = File::create(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test plays somebody else who wrote there")]
    fn what_is_written_over_leaves_nothing_of_a_longer_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        let read = || fs::read(&path).unwrap();
        overwrite(&path, b"[1,2,3]").unwrap();
        overwrite(&path, b"[4]").unwrap();
        assert_eq!(read(), b"[4]    ");
        overwrite(&path, b"[5,6,7,8,9]").unwrap();
        assert_eq!(read(), b"[5,6,7,8,9]");
        fs::write(&path, vec![b'x'; OVERWRITTEN + 1]).unwrap();
        overwrite(&path, b"[4]").unwrap();
        assert!(read() == b"[4]", "what is no text of ours is not kept in length");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(overwrite(&link, b"[0]").is_err(), "never through a symbolic link");
    }

    #[test]
    fn replace_is_private_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_writer_left_goes_with_the_next_durable_write_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        leave(&dir.path().join(".oc-left.new"), ABANDONED * 2);
        leave(&dir.path().join(".oc-being-written.new"), Duration::ZERO);
        leave(&dir.path().join("persons.new"), ABANDONED * 2);
        leave(&dir.path().join(".oc-persons"), ABANDONED * 2);
        replace(&dir.path().join("state.json"), b"one").unwrap();
        let names = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(
            names,
            [".oc-being-written.new", ".oc-persons", "persons.new", "state.json"]
        );
    }

    #[test]
    fn what_killed_writers_left_is_found_at_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("generations/objects");
        private_dir(&deep).unwrap();
        leave(&deep.join(".oc-left.new"), ABANDONED * 2);
        leave(&deep.join("content"), ABANDONED * 2);
        remove_abandoned(dir.path());
        assert!(!deep.join(".oc-left.new").exists() && deep.join("content").exists());
    }

    #[test]
    fn a_planted_symlink_is_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("precious");
        replace(&target, b"precious").unwrap();
        let link = dir.path().join("journal.jsonl");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(open_append(&link).unwrap_err().what.contains("symbolic link"));
        replace(&link, b"ours").unwrap();
        assert_eq!(
            fs::read(&target).unwrap(),
            b"precious",
            "rename replaces the link, not its target"
        );
    }

    #[test]
    fn a_private_dir_is_made_private_and_a_symlink_to_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        private_dir(&inner).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
        private_dir(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&inner, &link).unwrap();
        assert!(private_dir(&link).is_err());
    }

    #[test]
    fn a_tail_starts_at_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        replace(&path, b"first\nsecond\nthird\n").unwrap();
        assert_eq!(tail(&path, 10).unwrap(), b"third\n");
        assert_eq!(tail(&path, 1000).unwrap(), b"first\nsecond\nthird\n");
    }

    #[test]
    fn putting_aside_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        replace(&path, b"bad1").unwrap();
        let first = put_aside(&path, "broken").unwrap();
        replace(&path, b"bad2").unwrap();
        let second = put_aside(&path, "broken").unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read(first).unwrap(), b"bad1");
    }
}
