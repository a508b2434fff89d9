//! R2.

use super::p11_uninterruptible::Group;
use crate::case::{CASE, Case, Class};
use crate::needs::Need;

pub(crate) const R2: Case = Case {
    id: "R2",
    class: Class::Resource,
    fault: "ended by the kernel: out of memory in its control group",
    needs: &[Need::Root, Need::Cgroup("memory")],
    inject: |arena| {
        let group = Group::new("memory")?;
        group.write("memory.limit_in_bytes", "64M")?;
        group.write("cgroup.procs", &arena.pid()?.to_string())?;
        arena.kept.push(Box::new(group));
        arena.fault_here(|f| f.hold_mb = 200)
    },
    level: Some(0),
    ..CASE
};
