//! Is there space where the service writes?

use super::{check, mib};
use oc_core::report::{Check, CheckStatus};
use std::path::Path;

/// Space on one file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// What an ordinary user may still write.
    pub free_bytes: u64,
    /// How much there is.
    pub total_bytes: u64,
    /// No file can be created although there is space.
    pub no_inodes: bool,
    /// Mounted read-only.
    pub read_only: bool,
}

impl Disk {
    /// True when too little is left.
    #[must_use]
    pub fn full(&self, min_free: u64) -> bool {
        self.no_inodes || self.free_bytes < min_free
    }

    /// The line of the report.
    #[must_use]
    pub fn check(&self, min_free: u64) -> Check {
        let (status, actual) = if self.read_only {
            (CheckStatus::Warn, "mounted read-only".to_owned())
        } else if self.no_inodes {
            (CheckStatus::Fail, "no inodes left".to_owned())
        } else {
            let status = if self.full(min_free) {
                CheckStatus::Fail
            } else {
                CheckStatus::Ok
            };
            (status, format!("{} free", mib(self.free_bytes)))
        };
        check("disk", status, format!("at least {} free", mib(min_free)), actual)
    }
}

/// Looks at the file system that holds `dir`, or its nearest parent that is there. `None` when it cannot be told.
#[must_use]
pub fn look(dir: &Path) -> Option<Disk> {
    let found = dir.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok())?;
    Some(Disk {
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        // Some file systems have no fixed number of inodes and report none at all.
        no_inodes: found.f_files > 0 && found.f_favail == 0,
        read_only: found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_yet_is_judged_by_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let disk = look(&dir.path().join("not/yet")).unwrap();
        assert!(disk.total_bytes > 0);
        assert_eq!(disk.check(0).status, CheckStatus::Ok);
        assert_eq!(disk.check(u64::MAX).status, CheckStatus::Fail);
    }
}
