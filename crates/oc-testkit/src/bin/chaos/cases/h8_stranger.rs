//! H8.

use crate::case::{CASE, Case, Class, End, On};
use oc_testkit::Stranger;

pub(crate) const H8: Case = Case {
    id: "H8",
    class: Class::Http,
    fault: "another program took the port while the gateway was stopped",
    on: On::Both,
    inject: |arena| {
        arena.person(&["oc-guardian", "stop", "--reason", "chaos"], &[0])?;
        arena.wait("the port is free", |arena| arena.serving().is_none())?;
        arena.kept.push(Box::new(Stranger::on(arena.service.port)));
        // The gateway cannot bind its port: whether that is a failure of `start` is not the question here.
        arena.person(&["oc-guardian", "start"], &[0, 1, 2]).map(drop)
    },
    mend: |arena| {
        arena.kept.clear();
        Ok(())
    },
    end: End::Human,
    alerts: 1..=3,
    ..CASE
};
