//! What the catalogue has and this suite does not do yet.

use crate::case::{CASE, Case, Class};
use crate::needs::Need;

const SYSTEMD: &[Need] = &[Need::Pending("not written yet")];

const fn manager(id: &'static str, fault: &'static str) -> Case {
    Case {
        id,
        class: Class::Manager,
        fault,
        needs: SYSTEMD,
        ..CASE
    }
}

pub(crate) const S2: Case = manager("S2", "the unit is masked, or hit its start limit");
pub(crate) const S3: Case = manager("S3", "the unit was edited and not reloaded");
pub(crate) const S4: Case = manager("S4", "the manager cannot be reached: no user bus");
pub(crate) const S5: Case = manager("S5", "two managers fight over the service");
