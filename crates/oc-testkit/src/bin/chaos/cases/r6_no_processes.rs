//! R6.

use super::p11_uninterruptible::Group;
use crate::case::{CASE, Case, Class, End};
use crate::needs::Need;
use serde_json::json;

pub(crate) const R6: Case = Case {
    id: "R6",
    class: Class::Resource,
    fault: "the watcher cannot fork: no processes left in its control group",
    needs: &[Need::Root, Need::Cgroup("pids")],
    // Only the passes of this case, and none of the supervisor, which is not in the group.
    settings: || json!({"policy": {"interval_embedded": "3s"}, "probe": {"hang_after": "3s"}}),
    inject: |arena| {
        let group = Group::new("pids")?;
        group.write("pids.max", "2")?;
        let dir = group.dir();
        arena.kept.push(Box::new(group));
        for _ in 0..3 {
            let script = format!("echo $$ >{dir}/cgroup.procs; exec oc-heal");
            let output = arena.env().foreign("sh").args(["-c", &script]).run();
            arena.note += &format!("{} ", output.code);
        }
        Ok(())
    },
    // It could not work, and said so by its exit code.
    hurts: |arena| arena.note.split_whitespace().count() == 3 && !arena.note.split_whitespace().any(|code| code == "0"),
    end: End::LeftAlone(1),
    ..CASE
};
