//! E3.

use super::s1_unloaded::unload;
use crate::arena::{Arena, Result, broken};
use crate::case::{CASE, Case, Class, Keeper, On};
use crate::needs::Need;
use oc_testkit::Signal;

pub(crate) const E3: Case = Case {
    id: "E3",
    class: Class::Extreme,
    fault: "nuclear option: supervisor and gateway killed, the configuration deleted; only cron's `oc-guardian ensure` is left",
    ci: true,
    predecessor: Some("healed within 3 min"),
    prepare: |arena| arena.person(&["oc-doctor", "snapshot"], &[0]).map(drop),
    inject: |arena| {
        let gateway = arena.pid()?;
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.env().signal(gateway, Signal::KILL);
        delete_config(arena)?;
        arena.guarded_by_cron()
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &["doctor start", "restart start", "restart register"],
    most: 2,
    alerts: 0..=2,
    ..CASE
};

pub(crate) const E3_UNIT: Case = Case {
    fault: "nuclear option: the unit of `openclaw gateway install` and our jobs stopped, disabled and deleted, the configuration deleted; \
            only cron's `oc-guardian ensure` is left",
    on: On::Real,
    ci: false,
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        unload(arena)?;
        delete_config(arena)?;
        arena.guarded_by_cron()
    },
    actions: &["doctor register", "doctor start", "restart register"],
    ..E3
};

fn delete_config(arena: &mut Arena) -> Result<()> {
    arena.written = None;
    std::fs::remove_file(arena.env().config_path()).map_err(|e| broken(&e.to_string()))
}
