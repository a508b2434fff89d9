//! S3.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;
use crate::systemd::UNIT;
use oc_testkit::{Signal, bin};

/// What the unit names before an upgrade.
const OLD: &str = "bin/old-gateway";

pub(crate) const S3: Case = Case {
    id: "S3",
    class: Class::Manager,
    fault: "an upgrade rewrote the unit and removed the old program, nobody told systemd, and the gateway crashes",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    prepare: |arena| {
        arena.program = arena.env().path(OLD);
        let copied = std::fs::copy(bin("stand-in-gateway"), &arena.program);
        copied.map(drop).map_err(|e| broken(&e.to_string()))
    },
    inject: |arena| {
        let file = arena.units().join(UNIT);
        let text = std::fs::read_to_string(file).map_err(|e| broken(&e.to_string()))?;
        let (old, new) = (arena.program.clone(), bin("stand-in-gateway"));
        arena.note = text.replace(&old.display().to_string(), &new.display().to_string());
        arena.write_unit(&arena.note);
        std::fs::remove_file(old).map_err(|e| broken(&e.to_string()))?;
        if arena.shown("NeedDaemonReload") != "yes" {
            return Err(broken("systemd knows the new definition already"));
        }
        arena.signal(Signal::KILL)
    },
    verify: |arena| {
        let visit = arena.ensure();
        let text = std::fs::read_to_string(arena.units().join(UNIT)).unwrap_or_default();
        let checks = [
            (
                visit.code == 0,
                format!("the guardian found something wrong: {}", visit.stdout),
            ),
            (text == arena.note, "the new definition was undone".to_owned()),
            (
                arena.shown("NeedDaemonReload") == "no",
                "systemd still has the old definition in mind".to_owned(),
            ),
        ];
        let wrong = checks.into_iter().filter(|(holds, _)| !holds);
        wrong.map(|(_, sentence)| sentence).collect()
    },
    actions: &["restart start", "restart register"],
    most: 1,
    level: Some(1),
    alerts: 0..=2,
    ..CASE
};
