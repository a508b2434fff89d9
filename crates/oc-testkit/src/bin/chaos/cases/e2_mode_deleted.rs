//! E2.

use super::c2_required_key::{C2F, without_mode};
use crate::case::{Case, Class, Keeper, On};
use crate::needs::Need;

pub(crate) const E2: Case = Case {
    id: "E2",
    class: Class::Extreme,
    fault: "gateway.mode is deleted from the live configuration: the gateway takes that over and ends with 78",
    on: On::StandIn,
    ci: false,
    predecessor: Some("not healed"),
    prepare: |arena| {
        arena.env().fault(|f| f.reload_exits = true);
        Ok(())
    },
    inject: |arena| {
        arena.spoil_config(without_mode);
        Ok(())
    },
    ..C2F
};

pub(crate) const E2_UNIT: Case = Case {
    fault: "gateway.mode is deleted from the live configuration, and the unit of `openclaw gateway install` is parked with 78",
    on: On::Real,
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    ..E2
};
