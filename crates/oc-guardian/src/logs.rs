//! Logs that launchd and cron's shell hold open, rotated by copying and truncating: whoever has one open for appending goes on
//! in the same file. Renaming would leave launchd writing into the old one for ever.

use flate2::Compression;
use flate2::write::GzEncoder;
use oc_core::fault::{Fault, Result};
use oc_core::paths::Paths;
use oc_core::world::World;
use oc_core::{fsx, lock};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest log before it is rotated.
const LIMIT: u64 = 10 << 20;
/// The most of one log that is kept: one that grew for weeks without us costs no more memory than this.
const TAIL: u64 = 32 << 20;
/// Rotated logs kept.
const KEEP: u32 = 5;

/// Where the outputs of jobs go.
#[must_use]
pub fn dir(paths: &Paths) -> PathBuf {
    paths.openclaw().join("logs")
}

/// Rotates the logs of our jobs that are too large: `guardian.log` becomes `guardian.log.1.gz`, and so on. For the guardian's
/// visits; a healthy pass does not come here.
///
/// # Errors
/// 74 or 77 with the path; 75 when another one is at it.
pub fn rotate(world: &World) -> Result<()> {
    let dir = dir(&world.paths);
    let names = [
        "watchdog.out.log".to_owned(),
        "guardian.log".to_owned(),
        format!("{}.log", world.config.service.label),
    ];
    let large = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() > LIMIT);
    let mut large = names.iter().map(|name| dir.join(name)).filter(large).peekable();
    if large.peek().is_none() {
        return Ok(());
    }
    let _one = lock::short(&world.paths.logs_lock(), Duration::from_secs(5))?;
    large.try_for_each(|path| rotate_one(&path))
}

fn rotate_one(path: &Path) -> Result<()> {
    let io = |verb: &'static str| move |e| Fault::io(verb, path, e);
    let mut file = fsx::open_append(path)?;
    let end = file.metadata().map_err(io("look at"))?.len();
    let mut from = |at: u64, most: u64| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        (&mut file).take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = from(end.saturating_sub(TAIL), end.min(TAIL)).map_err(io("read"))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&bytes).map_err(io("compress"))?;
    let gzip = gzip.finish().map_err(io("compress"))?;
    for n in (1..KEEP).rev() {
        // A missing older one is no trouble.
        drop(std::fs::rename(numbered(path, n), numbered(path, n + 1)));
    }
    fsx::replace(&numbered(path, 1), &gzip)?;
    // What was written meanwhile stays in the log.
    let rest = from(end, TAIL).map_err(io("read"))?;
    file.set_len(0).map_err(io("truncate"))?;
    file.write_all(&rest).map_err(io("append to"))
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}.gz"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn unzipped(path: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn whoever_has_it_open_goes_on_in_the_same_file_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guardian.log");
        let mut writer = fsx::open_append(&path).unwrap();
        for n in 0..8 {
            writer.write_all(format!("line {n}\n").as_bytes()).unwrap();
            rotate_one(&path).unwrap();
        }
        writer.write_all(b"last\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"last\n", "no hole, no old inode");
        assert_eq!(unzipped(&numbered(&path, 1)), b"line 7\n");
        assert_eq!(unzipped(&numbered(&path, KEEP)), b"line 3\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), KEEP as usize + 1);
        let mode = std::fs::metadata(numbered(&path, 1)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
