//! The mark by which a started process records itself, so that whoever started it may die before it could.

use crate::clock::boot_clock;
use crate::identity::{Identity, lookup};

/// Who we are and when that is, in bytes. Called between fork and exec: allocates nothing.
pub(super) fn birth_mark() -> [u8; 12] {
    let mut mark = [0; 12];
    mark[..4].copy_from_slice(&rustix::process::getpid().as_raw_nonzero().get().to_le_bytes());
    let now = u64::try_from(boot_clock().as_millis()).unwrap_or(0);
    mark[4..].copy_from_slice(&now.to_le_bytes());
    mark
}

/// The process that left this mark (a zombie still counts); `None` when it is gone, be its pid in use again or not.
#[must_use]
pub fn marked(mark: &[u8]) -> Option<Identity> {
    let pid = i32::from_le_bytes(mark.get(..4)?.try_into().ok()?);
    let born = u64::from_le_bytes(mark.get(4..12)?.try_into().ok()?);
    let info = lookup(pid).filter(|i| i.session == pid)?;
    let now = u64::try_from(boot_clock().as_millis()).ok()?;
    let age = info.identity.age_ms()?;
    // The kernel counts in ticks of 10 ms; the mark is made a moment after the fork.
    (now.saturating_sub(born).abs_diff(age) <= 500).then_some(info.identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_left_it_is_found_by_a_mark() {
        let dir = tempfile::tempdir().unwrap();
        let mark = crate::fsx::open_rw(&dir.path().join("mark")).unwrap();
        let mut cmd = crate::proc::Cmd::new("/bin/sleep");
        let pid = cmd.args(["600"]).spawn_service(Some(&mark)).unwrap();
        let bytes = std::fs::read(dir.path().join("mark")).unwrap();
        let process = marked(&bytes).unwrap();
        assert_eq!(process.pid, pid);
        let mut older = bytes.clone();
        older[4..].copy_from_slice(&0_u64.to_le_bytes());
        assert!(marked(&older).is_none(), "the pid is in use again");
        assert!(marked(&bytes[..7]).is_none() && marked(b"").is_none());
        process.signal(rustix::process::Signal::KILL).unwrap();
    }
}
