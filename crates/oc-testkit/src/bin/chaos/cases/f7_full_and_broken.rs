//! F7.

use super::f1_disk_full::{fill, small_disk};
use crate::arena::broken;
use crate::case::{CASE, Case, Class, End};
use crate::needs::Need;
use oc_testkit::Hostile;

pub(crate) const F7: Case = Case {
    id: "F7",
    class: Class::Filesystem,
    fault: "the disk under our state is full while the gateway answers 500: nothing can be remembered, but a person is told",
    needs: &[Need::Root, Need::Mount],
    prepare: small_disk,
    inject: |arena| {
        let full = fill(arena);
        arena.env().fault(|faults| faults.hostile = Some(Hostile::Status(500)));
        arena.wait("a person is told", |arena| !arena.hook.accepted().is_empty())?;
        std::fs::remove_file(&full).map_err(|e| broken(&e.to_string()))?;
        arena.env().fault(|faults| faults.hostile = None);
        Ok(())
    },
    end: End::Passed,
    alerts: 1..=2,
    ..CASE
};
