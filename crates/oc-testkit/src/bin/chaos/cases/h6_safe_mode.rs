//! H6.

use crate::case::{CASE, Case, Class, End};
use oc_testkit::{Asked, ask};

pub(crate) const H6: Case = Case {
    id: "H6",
    class: Class::Http,
    fault: "safe mode: /readyz is 200 and names suppressed channels, for ever",
    inject: |arena| {
        arena.env().fault(|f| f.suppressed = vec!["telegram".to_owned()]);
        Ok(())
    },
    hurts: |arena| matches!(ask(arena.service.port, "/readyz"), Asked::Answered(said) if said.body.contains("suppressed")),
    end: End::Human,
    actions: &["restart graceful"],
    most: 1,
    alerts: 1..=4,
    ..CASE
};
