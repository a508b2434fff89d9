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
    // Each time it says that it could not tell, and neither that all is well nor that a human is needed.
    hurts: |arena| arena.note == "3 3 3 ",
    end: End::LeftAlone(1),
    ..CASE
};
