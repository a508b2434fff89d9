//! D3.

use super::d1_upstream::upstream;
use crate::case::{CASE, Case, Class, End};
use oc_testkit::providers::Trouble;

pub(crate) const D3: Case = Case {
    id: "D3",
    class: Class::Dependency,
    fault: "the upstream API answers 401: the credential has expired",
    prepare: upstream,
    inject: |arena| {
        arena.upstream()?.trouble(Trouble::Status(401, "expired".to_owned()));
        Ok(())
    },
    // People are told, which they are only because the deep probe met it.
    hurts: |arena| arena.heard("warning").is_some(),
    mend: |arena| {
        arena.upstream()?.trouble(Trouble::None);
        Ok(())
    },
    end: End::LeftAlone(3),
    alerts: 1..=2,
    ..CASE
};
