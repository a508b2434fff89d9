//! X10.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, Keeper, On};
use crate::needs::Need;

pub(crate) const X10: Case = Case {
    id: "X10",
    class: Class::Control,
    fault: "a person stopped it by OpenClaw's own `gateway stop`, and starts it by `gateway start` after four passes",
    on: On::Real,
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        // Without a terminal it wants to be forced.
        arena.openclaw(&["gateway", "stop", "--force", "--json"]);
        arena.wait("it is stopped", |arena| arena.serving().is_none())?;
        arena.passes(4)?;
        arena.ensure();
        if arena.serving().is_some() {
            return Err(broken("it was started against a person's will"));
        }
        arena.openclaw(&["gateway", "start", "--json"]);
        Ok(())
    },
    level: Some(0),
    ..CASE
};
