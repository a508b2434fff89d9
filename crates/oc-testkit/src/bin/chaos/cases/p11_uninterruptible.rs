//! P11.

use crate::arena::Result;
use crate::case::{CASE, Case};
use crate::needs::Need;
use std::path::PathBuf;

pub(crate) const P11: Case = Case {
    id: "P11",
    fault: "uninterruptible: in a frozen control group, where KILL waits until it thaws",
    needs: &[Need::Root, Need::Cgroup("freezer")],
    inject: |arena| {
        let group = Group::new("freezer")?;
        group.write("cgroup.procs", &arena.pid()?.to_string())?;
        group.write("freezer.state", "FROZEN")?;
        arena.wait("people are told that KILL has no effect", |arena| {
            !arena.hook.accepted().is_empty()
        })?;
        drop(group);
        Ok(())
    },
    actions: &["restart kill"],
    most: 2,
    level: Some(1),
    alerts: 1..=3,
    ..CASE
};

/// A control group of our own; it goes with us, and what is in it goes back to the group above.
pub(super) struct Group(PathBuf);

impl Group {
    pub(super) fn new(controller: &str) -> Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "oc-chaos-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let dir = PathBuf::from("/sys/fs/cgroup").join(controller).join(name);
        std::fs::create_dir(&dir).map_err(|e| crate::arena::broken(&format!("{}: {e}", dir.display())))?;
        Ok(Self(dir))
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        let file = self.0.join(file);
        std::fs::write(&file, text).map_err(|e| crate::arena::broken(&format!("{}: {e}", file.display())))
    }

    pub(super) fn dir(&self) -> String {
        self.0.display().to_string()
    }

    pub(super) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Thawed first, whatever happened: nothing frozen can be ended.
        _ = self.write("freezer.state", "THAWED");
        for pid in self.read("cgroup.procs").lines() {
            _ = std::fs::write(self.0.with_file_name("cgroup.procs"), pid);
        }
        _ = std::fs::remove_dir(&self.0);
    }
}
