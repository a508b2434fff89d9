//! S2b.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, End, Keeper};
use crate::needs::Need;
use crate::systemd::UNIT;

pub(crate) const S2B: Case = Case {
    id: "S2b",
    class: Class::Manager,
    fault: "the unit is stopped and masked, which only a person does",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        // systemd refuses to mask what lies in the user's own directory; people move it away first.
        let (file, aside) = (arena.units().join(UNIT), arena.env().path(UNIT));
        std::fs::rename(file, aside).map_err(|e| broken(&e.to_string()))?;
        arena.systemctl(&["stop", UNIT]);
        arena.systemctl(&["mask", UNIT]);
        arena.wait("it is masked", |arena| arena.shown("LoadState") == "masked")
    },
    mend: |arena| {
        if arena.heard("attempt").is_some() {
            return Err(broken("it was tried although a person forbade it"));
        }
        arena.systemctl(&["unmask", UNIT]);
        let (file, aside) = (arena.units().join(UNIT), arena.env().path(UNIT));
        std::fs::rename(aside, file).map_err(|e| broken(&e.to_string()))
    },
    end: End::Human,
    // Of the pass after that.
    actions: &["restart register"],
    most: 1,
    alerts: 1..=2,
    ..CASE
};
