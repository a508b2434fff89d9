//! S1.

use crate::arena::{Arena, Result, broken};
use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;
use crate::systemd::{TIMER, UNIT};

pub(crate) const S1: Case = Case {
    id: "S1",
    class: Class::Manager,
    fault: "both units, the gateway's and ours, are stopped, disabled and deleted; only cron's `oc-guardian ensure` is left",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        unload(arena)?;
        arena.guarded_by_cron()
    },
    verify: |arena| {
        let states = [UNIT, TIMER].map(|unit| arena.systemctl(&["is-enabled", unit]).trim().to_owned());
        let wrong = (states != ["enabled", "enabled"]).then(|| format!("the units are {states:?}"));
        wrong.into_iter().collect()
    },
    actions: &["restart register"],
    most: 1,
    level: Some(1),
    alerts: 0..=2,
    ..CASE
};

/// Takes both jobs away with their definitions.
pub(super) fn unload(arena: &mut Arena) -> Result<()> {
    arena.systemctl(&["disable", "--now", TIMER, UNIT]);
    std::fs::remove_dir_all(arena.units()).map_err(|e| broken(&e.to_string()))?;
    arena.systemctl(&["daemon-reload"]);
    arena.wait("it is gone", |arena| {
        arena.shown("LoadState") == "not-found" && arena.serving().is_none()
    })
}
